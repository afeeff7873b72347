module interop/oras

go 1.26.0

// oras has no tag that `go install` can look up in every module proxy.
require oras.land/oras v1.3.3
