module github.com/ossastore/ossa/bench/transfer

go 1.26.0

require (
	github.com/aliyun/alibabacloud-oss-go-sdk-v2 v1.5.1
	golang.org/x/sync v0.24.0
)

require golang.org/x/time v0.4.0 // indirect
