package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ossastore/ossa/internal/engine"
)

// The variables that hold the root access key. With _FILE behind the name they
// hold the path of a file to read it from.
const (
	envKeyID     = "OSSA_ROOT_ACCESS_KEY_ID"
	envKeySecret = "OSSA_ROOT_ACCESS_KEY_SECRET"
	envFile      = "_FILE"
)

// keySource tells where a root key comes from.
type keySource int

const (
	fromEnvironment keySource = iota
	fromData                  // kept in the data directory since an earlier start
	fromDataNew               // made just now
)

// rootKey is the key of the owner, and what the start-up lines say about it.
type rootKey struct {
	engine.RootKey
	source keySource
	file   string // with fromData and fromDataNew: where it is kept
}

// keyFromEnvironment reads the root key from the environment. ok is false when
// nothing is set there.
func keyFromEnvironment(getenv func(string) string) (key engine.RootKey, ok bool, err error) {
	id, err := setting(getenv, envKeyID)
	if err != nil {
		return key, false, err
	}
	secret, err := setting(getenv, envKeySecret)
	switch {
	case err != nil:
		return key, false, err
	case id == "" && secret == "":
		return key, false, nil
	case id == "" || secret == "":
		return key, false, usagef("%s and %s belong together, and only one of them is set", envKeyID, envKeySecret)
	case strings.ContainsAny(id, " \t\r\n:/,"):
		return key, false, usagef("%s holds a character that no access key ID has", envKeyID)
	}
	return engine.RootKey{ID: id, Secret: secret}, true, nil
}

// keyFileMax bounds a file that is named by a variable, in bytes.
const keyFileMax = 4 << 10

// setting is the value of a variable, or of the file that its _FILE twin
// names, without the line end that editors leave. An empty file is an error.
func setting(getenv func(string) string, name string) (string, error) {
	value, path := getenv(name), getenv(name+envFile)
	switch {
	case path == "":
		return value, nil
	case value != "":
		return "", usagef("%s and %s are both set", name, name+envFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name+envFile, err)
	}
	defer f.Close()

	text, err := io.ReadAll(io.LimitReader(f, keyFileMax))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name+envFile, err)
	}
	value = strings.TrimSpace(string(text))
	if value == "" {
		return "", fmt.Errorf("%s: %s is empty", name+envFile, path)
	}
	return value, nil
}

// findRootKey returns the key of the environment, or else the one of the data
// directory, which makes one at its first start.
func findRootKey(e *engine.Engine, getenv func(string) string) (rootKey, error) {
	key, ok, err := keyFromEnvironment(getenv)
	if err != nil || ok {
		return rootKey{RootKey: key, source: fromEnvironment}, err
	}
	key, made, err := e.RootKey(rand.Reader)
	source := fromData
	if made {
		source = fromDataNew
	}
	return rootKey{RootKey: key, source: source, file: e.RootKeyFile()}, err
}
