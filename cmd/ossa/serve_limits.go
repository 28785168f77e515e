package main

import (
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/server"
)

// limitsConfig bounds what clients may have at once.
type limitsConfig struct {
	connections, connectionsPerAddress int
	requests, requestsPerKey           int
}

// defaultConnections is what --max-connections is if the process may open
// enough files.
const defaultConnections = 4096

func (c *limitsConfig) addFlags(flags *pflag.FlagSet) {
	flags.IntVar(&c.connections, "max-connections", 0,
		"`number` of connections of clients at once; 0 is 4096, or half the files that the process may open")
	flags.IntVar(&c.connectionsPerAddress, "max-connections-per-address", 0,
		"`number` of connections from one address that is no trusted proxy; 0 is half of --max-connections")
	flags.IntVar(&c.requests, "max-requests", 2048, "`number` of requests that are served at once")
	flags.IntVar(&c.requestsPerKey, "max-requests-per-key", 0,
		"`number` of requests of one access key that are served at once; 0 is half of --max-requests")
}

func (c *limitsConfig) validate() error {
	for _, flag := range []struct {
		name  string
		n     int
		least int
	}{
		{"--max-connections", c.connections, 0}, {"--max-connections-per-address", c.connectionsPerAddress, 0},
		{"--max-requests", c.requests, 1}, {"--max-requests-per-key", c.requestsPerKey, 0},
	} {
		if flag.n < flag.least {
			return usagef("%s: %d is too few", flag.name, flag.n)
		}
	}
	return nil
}

// options are what the server is told of it. files is how many the process may
// open, 0 if that is not known: connections and data share them.
func (c *limitsConfig) options(o *server.Options, files int, log *slog.Logger) {
	connections := c.connections
	switch {
	case connections == 0 && files > 0:
		connections = min(defaultConnections, max(1, files/2))
	case connections == 0:
		connections = defaultConnections
	case files > 0 && connections > files/2:
		log.Warn("connections may take more than half of the files that the process may open; raise the limit (ulimit -n), or connections and data get in each other's way",
			"max_connections", connections, "files", files)
	}
	o.MaxConnections, o.MaxConnectionsPerAddress = connections, c.connectionsPerAddress
	o.MaxInFlight, o.MaxInFlightPerKey = c.requests, c.requestsPerKey
}
