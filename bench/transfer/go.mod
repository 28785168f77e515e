module github.com/ossastore/ossa/bench/transfer

go 1.26.0

require (
	github.com/aliyun/alibabacloud-oss-go-sdk-v2 v1.5.1
	github.com/aliyun/aliyun-oss-go-sdk v3.0.2+incompatible
	github.com/ossastore/ossa v0.0.0
	golang.org/x/sync v0.24.0
)

require (
	golang.org/x/time v0.4.0 // indirect
	gopkg.in/check.v1 v1.0.0-20201130134442-10cb98267c6c // indirect
)

replace github.com/ossastore/ossa => ../..
