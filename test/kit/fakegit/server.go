// Package fakegit is a Git server on this machine that lets nobody in without credentials: over HTTPS
// with Git's own http-backend behind Basic authentication, and over SSH.
package fakegit

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// User is who may read, over HTTPS and over SSH.
const (
	User    = "x-access-token"
	SSHUser = "git"
)

// Server serves the bare repositories in a folder.
type Server struct {
	HTTPS       string // its host and port
	SSH         string // its host and port
	Certificate string // PEM
	KnownHosts  string // a line for the SSH server
	PrivateKey  string // of the one who may read over SSH

	http     *httptest.Server
	listener net.Listener
	config   *ssh.ServerConfig
	folder   string
}

// Start starts a server. tokens are the passwords that give access, by the beginnings of paths: the
// longest one decides.
func Start(folder string, tokens map[string]string) (*Server, error) {
	programs, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder}
	backend := &cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"), Root: "/",
		Env: []string{"GIT_PROJECT_ROOT=" + folder, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_GLOBAL=/dev/null"},
	}
	s.http = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		best := ""
		for prefix := range tokens {
			if rest, ok := strings.CutPrefix(r.URL.Path, "/"+prefix); ok && strings.ContainsAny(rest[:1], "/.") && len(prefix) > len(best) {
				best = prefix
			}
		}
		if best != "" && user == User && password == tokens[best] {
			backend.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="Git"`)
		http.Error(w, "who are you?", http.StatusUnauthorized)
	}))
	s.HTTPS = strings.TrimPrefix(s.http.URL, "https://")
	s.Certificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.http.Certificate().Raw}))
	if err := s.startSSH(); err != nil {
		s.http.Close()
		return nil, err
	}
	return s, nil
}

// Close stops it.
func (s *Server) Close() {
	s.http.Close()
	_ = s.listener.Close()
}

func (s *Server) startSSH() error {
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	host, err := ssh.NewSignerFromKey(hostKey)
	if err != nil {
		return err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	allowed, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if c.User() == SSHUser && string(key.Marshal()) == string(allowed.Marshal()) {
			return nil, nil
		}
		return nil, fmt.Errorf("unknown key")
	}}
	s.config.AddHostKey(host)
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.SSH = s.listener.Addr().String()
	at, port, _ := net.SplitHostPort(s.SSH)
	s.KnownHosts = fmt.Sprintf("[%s]:%s %s", at, port, ssh.MarshalAuthorizedKey(host.PublicKey()))
	s.PrivateKey = string(pem.EncodeToMemory(block))
	go func() {
		for {
			connection, err := s.listener.Accept()
			if err != nil {
				return
			}
			go s.serve(connection)
		}
	}()
	return nil
}

func (s *Server) serve(connection net.Conn) {
	_, channels, requests, err := ssh.NewServerConn(connection, s.config)
	if err != nil {
		return // the client has seen why
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "")
			continue
		}
		channel, asked, err := offered.Accept()
		if err != nil {
			return
		}
		go s.session(channel, asked)
	}
}

// session answers git-upload-pack, with which Git reads a repository.
func (s *Server) session(channel ssh.Channel, asked <-chan *ssh.Request) {
	for request := range asked {
		var command struct{ Line string }
		var name, path string
		if request.Type == "exec" && ssh.Unmarshal(request.Payload, &command) == nil {
			name, path, _ = strings.Cut(command.Line, " ")
		}
		if name != "git-upload-pack" {
			_ = request.Reply(request.Type == "env", nil)
			continue
		}
		_ = request.Reply(true, nil)
		git := exec.Command("git", "upload-pack", filepath.Join(s.folder, filepath.Clean("/"+strings.Trim(path, "'"))))
		git.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null")
		git.Stdout, git.Stderr = channel, channel.Stderr()
		input, err := git.StdinPipe()
		if err == nil {
			go func() {
				_, _ = io.Copy(input, channel)
				_ = input.Close()
			}()
			err = git.Run()
		}
		status := struct{ Status uint32 }{}
		if err != nil {
			status.Status = 1
		}
		_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(status))
		_ = channel.Close()
	}
}
