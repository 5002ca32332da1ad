package launcher

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// internet is everything behind a proxy. One handler answers for every host.
type internet struct {
	proxy   string   // URL
	environ []string // with the proxy and the certificate
	mu      sync.Mutex
	asked   []string // "CONNECT HOST user:password" and "GET URL authorization"
}

func (i *internet) note(format string, args ...any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func newInternet(t *testing.T, handle http.HandlerFunc) *internet {
	t.Helper()
	i := &internet{}
	certificate, file := authority(t, "github.com", "api.github.com", "ghes.example", "objects.example")
	hosts := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.note("GET https://%s%s %s", r.Host, r.URL.Path, r.Header.Get("Authorization"))
		handle(w, r)
	}))
	hosts.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	hosts.StartTLS()
	t.Cleanup(hosts.Close)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
		user, password, _ := r.BasicAuth()
		i.note("CONNECT %s %s:%s", r.Host, user, password)
		client, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		host, err := net.Dial("tcp", hosts.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer host.Close()
		fmt.Fprint(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(host, client) }()
		_, _ = io.Copy(client, host)
	}))
	t.Cleanup(proxy.Close)
	i.proxy = strings.Replace(proxy.URL, "http://", "http://mona:p%40ss@", 1)
	i.environ = []string{"HTTPS_PROXY=" + i.proxy, "NODE_EXTRA_CA_CERTS=" + file}
	return i
}

// authority makes a certificate for hosts, and a file that lets Node trust it.
func authority(t *testing.T, hosts ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	check(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func (i *internet) wantAsked(t *testing.T, want ...string) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if got := strings.Join(i.asked, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("asked:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestADownloadGoesThroughTheProxy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	i := newInternet(t, give(binary))
	w.run("plan.js", append(i.environ, "INPUT_TOKEN=ghs_1", "NO_PROXY=hub.com,example.com")...).want(0, "ran")
	i.wantAsked(t, "CONNECT github.com:443 mona:p@ss", "GET https://github.com"+asset)
}

func TestNoProxyIsHeeded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.release(sh("echo ran"))
	i := newInternet(t, http.NotFound)
	// A host that has no address: there is no way to it but the proxy.
	w.run("plan.js", append(i.environ, "GITHUB_SERVER_URL=https://git.acme.invalid", "no_proxy=localhost, .acme.invalid")...).
		wantError(1, "git.acme.invalid")
	i.wantAsked(t)
}

// A private repository's releases can only be downloaded through GitHub's API. It redirects to another
// host, which must not get the token.
func TestAPrivateReleaseIsDownloadedWithTheToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	i := newInternet(t, func(out http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host == "objects.example":
			fmt.Fprint(out, binary)
		case r.Header.Get("Authorization") != "Bearer ghs_1":
			http.NotFound(out, r)
		case r.URL.Path == "/repos/acme/gitops/releases/tags/v1.2.3":
			fmt.Fprintf(out, `{"assets": [{"id": 1, "name": "other"}, {"id": 2, "name": %q}]}`, name)
		case r.URL.Path == "/repos/acme/gitops/releases/assets/2" && r.Header.Get("Accept") == "application/octet-stream":
			http.Redirect(out, r, "https://objects.example/2", http.StatusFound)
		default:
			http.NotFound(out, r)
		}
	})
	w.run("plan.js", append(i.environ, "INPUT_TOKEN=ghs_1")...).want(0, "ran")
	i.wantAsked(t,
		"CONNECT github.com:443 mona:p@ss", "GET https://github.com"+asset,
		"CONNECT api.github.com:443 mona:p@ss", "GET https://api.github.com/repos/acme/gitops/releases/tags/v1.2.3 Bearer ghs_1",
		"CONNECT api.github.com:443 mona:p@ss", "GET https://api.github.com/repos/acme/gitops/releases/assets/2 Bearer ghs_1",
		"CONNECT objects.example:443 mona:p@ss", "GET https://objects.example/2",
	)
}

// An Enterprise Server with GitHub Connect runs actions from github.com.
func TestAnEnterpriseServersActionIsDownloadedFromGitHub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	binary := sh("echo ran")
	w.release(binary)
	i := newInternet(t, func(out http.ResponseWriter, r *http.Request) {
		if r.Host != "github.com" {
			http.NotFound(out, r)
			return
		}
		give(binary)(out, r)
	})
	w.run("plan.js", append(i.environ, "GITHUB_SERVER_URL=https://ghes.example")...).want(0, "ran")
	i.wantAsked(t,
		"CONNECT ghes.example:443 mona:p@ss", "GET https://ghes.example"+asset,
		"CONNECT github.com:443 mona:p@ss", "GET https://github.com"+asset,
	)
}
