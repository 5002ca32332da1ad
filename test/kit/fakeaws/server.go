// Package fakeaws runs moto, a stand-in for AWS, on loopback for tests, demos
// and benchmarks.
//
// moto is a Python program (https://docs.getmoto.org/en/latest/docs/server_mode.html).
// One server holds any number of tests: each makes its own bucket and table
// with [CreateStore]. It does not have AWS's IAM, its isolation of requests (see [Server]) and a
// clock that can be set.
package fakeaws

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Server is a running moto. Requests reach it one at a time: its DynamoDB
// checks conditions and writes in separate steps, and a cancelled transaction
// puts a whole old copy of the table back, so that requests served at once
// would lose each other's writes. AWS does neither.
type Server struct {
	// Endpoint is the server's address, such as http://127.0.0.1:40123.
	Endpoint string

	front *http.Server
	stop  func() error
}

const (
	region       = "us-east-1"
	startTimeout = 5 * time.Minute // a cold Python start on a busy machine
	stopTimeout  = 5 * time.Minute
)

// The shell stops moto as soon as its own standard input ends. That happens on Close, and also when the
// process that started it dies by whatever means, so that no server outlives its test. The shell
// waits for moto only after that: until then moto's process ID can't become another process's.
// For each request moto 5.2 lists its own source folder: a sixth of its time. Here it does so once.
const script = `
once=$(mktemp -d) && cat >"$once/sitecustomize.py" <<'END'
try:
    from moto import backends
    modules = list(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
except ImportError:
    pass  # another moto, which needs no help, or none
END
PYTHONPATH=$once${PYTHONPATH:+:$PYTHONPATH} moto_server -H 127.0.0.1 -p 0 </dev/null 2>&1 &
exec >/dev/null 2>&1 # if moto ends by itself, its output does
read -r _
kill $!
wait
rm -rf "$once"
`

// Run starts a server, which takes a second or two. Close it; moto also stops when
// ctx is done and when this process ends, by whatever means.
func Run(ctx context.Context) (*Server, error) {
	if _, err := exec.LookPath("moto_server"); err != nil {
		return nil, errors.New("start moto_server: it is not installed: pip install 'moto[server]'")
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", script)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start moto_server: %w", err)
	}
	cmd.Cancel = stdin.Close
	cmd.WaitDelay = stopTimeout
	output, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start moto_server: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start moto_server: %w", err)
	}
	stop := func() error {
		_ = stdin.Close() // already closed when ctx ended first
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
			return fmt.Errorf("stop moto_server: %w", err)
		}
		return nil
	}
	late := time.AfterFunc(startTimeout, func() { _ = stdin.Close() })
	backend, err := readAddress(output)
	late.Stop()
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	// moto writes a line for each request, and would stop if the pipe was full.
	go func() { _, _ = io.Copy(io.Discard, output) }()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start moto_server: %w", err), stop())
	}
	s := &Server{
		Endpoint: "http://" + listener.Addr().String(),
		front:    &http.Server{Handler: newSerializer(backend), ReadHeaderTimeout: stopTimeout},
		stop:     stop,
	}
	go func() { _ = s.front.Serve(listener) }()
	return s, nil
}

// Close stops the server and loses all that it held.
func (s *Server) Close() error {
	return errors.Join(s.front.Close(), s.stop())
}

// Config is a configuration for the AWS SDK that reaches this server only.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: aws.String(s.Endpoint),
	}
}

// Environ is the variables, as NAME=VALUE, with which another process, such as the AWS provider or
// an action, uses this server.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + s.Endpoint,
		"AWS_REGION=" + region,
		"AWS_ACCESS_KEY_ID=test",
		"AWS_SECRET_ACCESS_KEY=test",
		"AWS_EC2_METADATA_DISABLED=true",
	}
}

var running = regexp.MustCompile(`Running on http://(127\.0\.0\.1:[0-9]+)`)

// readAddress reads moto's output up to the line that says where it listens.
func readAddress(output io.Reader) (string, error) {
	var said strings.Builder
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if found := running.FindStringSubmatch(lines.Text()); found != nil {
			return found[1], nil
		}
		fmt.Fprintln(&said, lines.Text())
	}
	return "", fmt.Errorf("start moto_server: it ended, or did not listen within %v: %s", startTimeout, strings.TrimSpace(said.String()))
}
