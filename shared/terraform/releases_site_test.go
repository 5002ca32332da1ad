package terraform_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/terraform-gitops/gitops/shared/terraform"
)

// releasesSite is a site laid out as https://releases.hashicorp.com, whose programs
// are scripts.
type releasesSite struct {
	terraform.Releases
	key *openpgp.Entity

	mu       sync.Mutex
	files    map[string][]byte
	requests []string
	before   func(path string) // runs before a file is sent
	cut      string            // the path of a file of which half is sent
}

func newReleasesSite(t *testing.T, versions ...string) *releasesSite {
	t.Helper()
	s := &releasesSite{key: signingKey(t), files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Releases = terraform.Releases{URL: server.URL, PublicKey: armored(t, s.key), Client: server.Client()}
	index := map[string]any{}
	for _, v := range versions {
		index[v] = s.add(t, v, versionScript(v))
	}
	s.files["/terraform/index.json"] = marshal(t, map[string]any{"name": "terraform", "versions": index})
	return s
}

// versionScript is a program that answers as `terraform version -json` of a version, and
// writes its path to the file $STARTS. It fails when it sees a token of the runner's.
func versionScript(version string) string {
	return "#!/bin/sh\n[ -z \"$ACTIONS_RUNTIME_TOKEN\" ] || exit 1\necho \"$0\" >>\"$STARTS\"\necho '{\"terraform_version\": \"" + version + "\", \"terraform_outdated\": false}'\n"
}

func releaseFile(version, suffix string) string {
	return "/terraform/" + version + "/terraform_" + version + "_" + suffix
}

var zipSuffix = runtime.GOOS + "_" + runtime.GOARCH + ".zip"

// add publishes a release and returns its part of the index.
func (s *releasesSite) add(t *testing.T, version, script string) map[string]any {
	t.Helper()
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	f, err := w.Create("terraform")
	if err == nil {
		_, err = f.Write([]byte(script))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	file := releaseFile(version, zipSuffix)
	s.files[file] = archive.Bytes()
	s.sign(t, version, fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), path.Base(file)))
	release := map[string]any{
		"name": "terraform", "version": version,
		"shasums":           path.Base(releaseFile(version, "SHA256SUMS")),
		"shasums_signature": path.Base(releaseFile(version, "SHA256SUMS.sig")),
		"builds": []any{map[string]any{
			"name": "terraform", "version": version, "os": runtime.GOOS, "arch": runtime.GOARCH,
			"filename": path.Base(file), "url": file,
		}},
	}
	s.files["/terraform/"+version+"/index.json"] = marshal(t, release)
	return release
}

// sign publishes a release's checksums with their signature.
func (s *releasesSite) sign(t *testing.T, version, sums string) {
	t.Helper()
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, s.key, strings.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}
	s.files[releaseFile(version, "SHA256SUMS")] = []byte(sums)
	s.files[releaseFile(version, "SHA256SUMS.sig")] = signature.Bytes()
}

func (s *releasesSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.Path)
	content, ok := s.files[r.URL.Path]
	before := s.before
	s.mu.Unlock()
	if before != nil {
		before(r.URL.Path)
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	switch path.Ext(r.URL.Path) {
	case ".json":
		w.Header().Set("Content-Type", "application/json")
	case ".zip":
		w.Header().Set("Content-Type", "application/zip")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.URL.Path == s.cut {
		content = content[:len(content)/2]
	}
	_, _ = w.Write(content)
}

// asked returns the requests since the last call.
func (s *releasesSite) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

func signingKey(t *testing.T) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity("test", "", "test@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func armored(t *testing.T, key *openpgp.Entity) string {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		err = key.Serialize(w)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
