package awsprovider

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"sync"
	"testing"
)

// forward passes calls on to the provider that listens at a socket, and returns the path of the socket at which
// it listens itself. It answers GetSchema itself, with the provider's schemas of the types that are named. The
// provider has 2,000 types. To write and to read all their schemas takes more than most commands, and Terraform
// asks for them each time it starts.
func forward(t testing.TB, socket string, named map[string]bool) string {
	t.Helper()
	http2 := new(http.Protocols) // gRPC is HTTP/2, here without TLS
	http2.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: http2, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	schemas := sync.OnceValues(func() ([]byte, error) {
		all, err := getSchema(t.Context(), transport)
		if err != nil {
			return nil, err
		}
		return only(all, named)
	})
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: host})
	proxy.Transport = transport
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) } // mostly Terraform has ended
	mux := http.NewServeMux()
	mux.Handle("/", proxy)
	mux.HandleFunc(schemaPath, func(w http.ResponseWriter, _ *http.Request) {
		answer, err := schemas()
		if err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/grpc")
		_, _ = w.Write(answer) // Terraform may have ended
		w.Header().Set(http.TrailerPrefix+"Grpc-Status", "0")
	})
	listener, err := net.Listen("unix", socket+"-few")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux, Protocols: http2}
	go func() { _ = server.Serve(listener) }() // until it is closed
	t.Cleanup(func() {
		_ = server.Close()
		transport.CloseIdleConnections()
	})
	return socket + "-few"
}

const (
	host       = "localhost" // as gRPC names a socket
	schemaPath = "/tfplugin5.Provider/GetSchema"
)

// getSchema asks the provider for its schemas, and returns the answer as it is sent.
func getSchema(ctx context.Context, provider http.RoundTripper) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+schemaPath, bytes.NewReader(make([]byte, head))) // an empty message
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{"Content-Type": {"application/grpc"}, "Te": {"trailers"}}
	response, err := provider.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if status := response.Trailer.Get("Grpc-Status"); err == nil && status != "0" {
		err = fmt.Errorf("the provider's schemas: status %q", status)
	}
	return answer, err
}

// head is the size of what a message of gRPC begins with: a byte, 0 without compression, and the size of
// the rest in 4 bytes.
// https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
const head = 5

// only returns an answer to GetSchema without the schemas of types that are not named. It consists of fields:
// each one is a tag, a size and a content.
// https://protobuf.dev/programming-guides/encoding/
func only(answer []byte, named map[string]bool) ([]byte, error) {
	if len(answer) < head || answer[0] != 0 || int(binary.BigEndian.Uint32(answer[1:])) != len(answer)-head {
		return nil, errors.New("the provider's schemas are not one message without compression")
	}
	kept := make([]byte, head, 1<<20)
	for rest := answer[head:]; len(rest) > 0; {
		number, content, size := field(rest)
		if size == 0 {
			return nil, errors.New("the provider's schemas are cut off")
		}
		// Maps of types: resource_schemas, data_source_schemas and ephemeral_resource_schemas.
		// https://github.com/hashicorp/terraform/blob/v1.11.4/docs/plugin-protocol/tfplugin5.9.proto
		ofType := number == 2 || number == 3 || number == 8
		_, name, _ := field(content) // an entry's key is its first field
		if !ofType || named[string(name)] {
			kept = append(kept, rest[:size]...)
		}
		rest = rest[size:]
	}
	binary.BigEndian.PutUint32(kept[1:], uint32(len(kept)-head)) //nolint:gosec // it has become shorter
	return kept, nil
}

// field reads the field that a message begins with, and returns its size with tag. That is 0 if there is none, or
// if it is not a text or a message.
func field(message []byte) (number uint64, content []byte, size int) {
	tag, n := binary.Uvarint(message)
	if n <= 0 || tag&7 != 2 {
		return 0, nil, 0
	}
	length, m := binary.Uvarint(message[n:])
	if m <= 0 || length > uint64(len(message)-n-m) {
		return 0, nil, 0
	}
	return tag >> 3, message[n+m : n+m+int(length)], n + m + int(length) //nolint:gosec // it is within the message
}

// typeName matches the name of a type of the AWS provider.
var typeName = regexp.MustCompile(`\baws_[a-z0-9_]+`)

// typesIn returns the types that files below folders name.
func typesIn(t testing.TB, folders []string) map[string]bool {
	t.Helper()
	named := map[string]bool{}
	for _, folder := range folders {
		if err := addTypes(named, os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	return named
}

func addTypes(named map[string]bool, files fs.FS) error {
	return fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Name() == ".terraform":
			return fs.SkipDir
		case !e.Type().IsRegular():
			return nil
		}
		content, err := fs.ReadFile(files, path)
		for _, name := range typeName.FindAll(content, -1) {
			named[string(name)] = true
		}
		return err
	})
}
