module interop/issuer

go 1.26.0
