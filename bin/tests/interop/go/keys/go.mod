module interop/keys

go 1.26.0
