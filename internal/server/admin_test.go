package server

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func mustRequest(method, target string) *http.Request {
	return httptest.NewRequest(method, target, nil)
}

// The admin listener tells whether the process lives and is ready, and its
// figures; nothing else.
func TestAdmin(t *testing.T) {
	var trouble error
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "things_total", Help: "Things."})
	registry.MustRegister(counter)
	counter.Inc()
	h := Admin(func(context.Context) error { return trouble }, registry)
	tests := []struct {
		method, path string
		trouble      error
		status       int
		body         string
	}{
		{"GET", "/livez", nil, 200, "ok"},
		{"GET", "/livez", errors.New("starting"), 200, "ok"},
		{"GET", "/readyz", nil, 200, "ok"},
		{"GET", "/readyz", errors.New("starting"), 503, "starting"},
		{"GET", "/metrics", nil, 200, "things_total 1"},
		{"POST", "/readyz", nil, 405, ""},
		{"GET", "/bucket/key", nil, 404, ""},
	}
	for _, tt := range tests {
		trouble = tt.trouble
		w := newRecorder()
		h.ServeHTTP(w, mustRequest(tt.method, tt.path))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, w.Code, w.Body)
		}
	}
}
