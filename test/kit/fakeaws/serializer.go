package fakeaws

import (
	"bytes"
	"io"
	"net/http"
	"sync"
)

// serializer passes requests on to one address, one at a time. A request is
// read before its turn and answered after it, so that a slow or dead client
// does not hold up the others.
type serializer struct {
	backend string // host:port

	turn      sync.Mutex
	transport http.Transport
}

func newSerializer(backend string) *serializer {
	s := &serializer{backend: backend}
	// A reused connection that the other end has just closed would make the
	// transport fail or, worse, send a write again.
	s.transport.DisableKeepAlives = true
	s.transport.DisableCompression = true
	return s
}

func (s *serializer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// Once started, a request is finished, as AWS does, whatever its client does.
	out := &http.Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: r.Header,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	out.URL.Scheme, out.URL.Host = "http", s.backend

	response, answer, err := s.forward(out)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(answer) // the client is gone: nobody to tell
}

func (s *serializer) forward(r *http.Request) (*http.Response, []byte, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	response, err := s.transport.RoundTrip(r)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response, answer, err
}
