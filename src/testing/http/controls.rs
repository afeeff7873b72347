//! What every server here can be told and asked, whatever it serves.

/// The methods that a handle with a field `server` has in common with all others.
macro_rules! controls {
    ($handle:ty) => {
        impl $handle {
            /// Adds a rule for what HTTP can do wrong; earlier rules go first, and all of them see every request.
            pub fn fault(&self, fault: $crate::testing::http::Fault) {
                self.server.fault(fault);
            }

            /// Waits this long before every answer.
            pub fn delay(&self, delay: std::time::Duration) {
                self.server.delay(delay);
            }

            /// Answers in these waves from now on, which other servers may share.
            pub fn hold(&self, waves: &$crate::testing::http::Waves) {
                self.server.hold(waves);
            }

            /// Every request since the start or the last [`clear_log`](Self::clear_log), in order of arrival.
            #[must_use]
            pub fn requests(&self) -> Vec<$crate::testing::http::RecordedRequest> {
                self.server.requests()
            }

            /// [`RecordedRequest::line`](crate::testing::RecordedRequest::line) of every request.
            #[must_use]
            pub fn lines(&self) -> Vec<String> {
                self.server.lines()
            }

            /// Forgets the requests seen so far.
            pub fn clear_log(&self) {
                self.server.clear_log();
            }

            /// Keeps no log from now on: for a server that is there for longer than a test.
            pub fn forget_requests(&self) {
                self.server.forget_requests();
            }

            /// The largest number of requests that were being answered at one time.
            #[must_use]
            pub fn max_in_flight(&self) -> usize {
                self.server.max_in_flight()
            }
        }
    };
}

pub(in crate::testing) use controls;
