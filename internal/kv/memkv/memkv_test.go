package memkv_test

import (
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/kvtest"
	"github.com/ossastore/ossa/internal/kv/memkv"
)

func TestEngine(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.Engine { return memkv.New() })
}
