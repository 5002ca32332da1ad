// Package fakereleases has sites on this machine that Terraform, OpenTofu and Atmos can be
// downloaded from, for tests.
package fakereleases

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
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
)

// Site is laid out as https://releases.hashicorp.com; its programs are scripts.
type Site struct {
	Releases
	Key    *openpgp.Entity   // that signs what is published from now on
	Files  map[string][]byte // by their paths
	Before func(path string) // runs before a file is sent
	Cut    string            // the path of a file of which half is sent

	mu       sync.Mutex
	requests []string
}

// Releases says how to download from the site. It has the fields of install.Releases, so that
// one can be converted into the other.
type Releases struct {
	URL       string
	PublicKey string
	Client    *http.Client
}

// New is a site with releases of these versions.
func New(t *testing.T, versions ...string) *Site {
	t.Helper()
	s := &Site{Key: SigningKey(t), Files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.Releases = Releases{URL: server.URL, PublicKey: Armored(t, s.Key), Client: server.Client()}
	index := map[string]any{}
	for _, v := range versions {
		index[v] = s.Add(t, v, VersionScript(v))
	}
	s.Files["/terraform/index.json"] = marshal(t, map[string]any{"name": "terraform", "versions": index})
	return s
}

// VersionScript is a program that answers as `terraform version -json` of a version, and
// writes its path to the file $STARTS. It fails when it sees a token of the runner's.
func VersionScript(version string) string {
	return "#!/bin/sh\n[ -z \"$ACTIONS_RUNTIME_TOKEN\" ] || exit 1\necho \"$0\" >>\"$STARTS\"\necho '{\"terraform_version\": \"" + version + "\", \"terraform_outdated\": false}'\n"
}

// File is the path of a file of a release, which ends in suffix.
func File(version, suffix string) string {
	return "/terraform/" + version + "/terraform_" + version + "_" + suffix
}

// ZipSuffix ends the name of the archive for this machine.
var ZipSuffix = runtime.GOOS + "_" + runtime.GOARCH + ".zip"

// Add publishes a release and returns its part of the index.
func (s *Site) Add(t *testing.T, version, script string) map[string]any {
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
	file := File(version, ZipSuffix)
	s.Files[file] = archive.Bytes()
	s.Sign(t, version, fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), path.Base(file)))
	release := map[string]any{
		"name": "terraform", "version": version,
		"shasums":           path.Base(File(version, "SHA256SUMS")),
		"shasums_signature": path.Base(File(version, "SHA256SUMS.sig")),
		"builds": []any{map[string]any{
			"name": "terraform", "version": version, "os": runtime.GOOS, "arch": runtime.GOARCH,
			"filename": path.Base(file), "url": file,
		}},
	}
	s.Files["/terraform/"+version+"/index.json"] = marshal(t, release)
	return release
}

// Sign publishes a release's checksums with their signature.
func (s *Site) Sign(t *testing.T, version, sums string) {
	t.Helper()
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, s.Key, strings.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}
	s.Files[File(version, "SHA256SUMS")] = []byte(sums)
	s.Files[File(version, "SHA256SUMS.sig")] = signature.Bytes()
}

func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.Path)
	content, ok := s.Files[r.URL.Path]
	before := s.Before
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
	if r.URL.Path == s.Cut {
		content = content[:len(content)/2]
	}
	_, _ = w.Write(content)
}

// Asked returns the requests since the last call.
func (s *Site) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// SigningKey is a new key.
func SigningKey(t *testing.T) *openpgp.Entity {
	t.Helper()
	key, err := openpgp.NewEntity("test", "", "test@example.com", &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Armored is the public part of a key, as text.
func Armored(t *testing.T, key *openpgp.Entity) string {
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

// OpenTofu says how to download from a site of OpenTofu's. It has the fields of
// install.OpenTofuReleases, so that one can be converted into the other.
type OpenTofu struct {
	List, Files, PublicKey string
	Client                 *http.Client
}

// NewOpenTofu is a site with releases of OpenTofu of these versions, laid out as OpenTofu's list and
// its releases on GitHub.
func NewOpenTofu(t *testing.T, versions ...string) (*Site, OpenTofu) {
	t.Helper()
	s := &Site{Key: SigningKey(t), Files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var list []any
	for _, v := range versions {
		list = append(list, map[string]any{"id": v, "files": s.AddOpenTofu(t, v, OpenTofuScript(v))})
	}
	s.Files["/tofu/api.json"] = marshal(t, map[string]any{"versions": list})
	return s, OpenTofu{
		List: server.URL + "/tofu/api.json", Files: server.URL + "/v{{ .Version }}/{{ .Artifact }}",
		PublicKey: Armored(t, s.Key), Client: server.Client(),
	}
}

// OpenTofuScript is as VersionScript, and answers as OpenTofu does.
func OpenTofuScript(version string) string {
	return strings.Replace(VersionScript(version), `, "terraform_outdated": false`, "", 1)
}

// OpenTofuFile is the path of a file of a release of OpenTofu, which ends in suffix.
func OpenTofuFile(version, suffix string) string {
	return "/v" + version + "/tofu_" + version + "_" + suffix
}

// TarSuffix ends the name of OpenTofu's archive for this machine.
var TarSuffix = runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"

// AddOpenTofu publishes a release of OpenTofu and returns the names of its files.
func (s *Site) AddOpenTofu(t *testing.T, version, script string) (files []string) {
	t.Helper()
	var archive bytes.Buffer
	compressed := gzip.NewWriter(&archive)
	w := tar.NewWriter(compressed)
	for name, content := range map[string]string{"README.md": "OpenTofu", "tofu": script} {
		err := w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(content))})
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	file := OpenTofuFile(version, TarSuffix)
	s.Files[file] = archive.Bytes()
	s.SignOpenTofu(t, version, fmt.Sprintf("%x  %s\n", sha256.Sum256(archive.Bytes()), path.Base(file)))
	for _, suffix := range []string{TarSuffix, "SHA256SUMS", "SHA256SUMS.gpgsig"} {
		files = append(files, path.Base(OpenTofuFile(version, suffix)))
	}
	return files
}

// SignOpenTofu publishes a release's checksums with their signature.
func (s *Site) SignOpenTofu(t *testing.T, version, sums string) {
	t.Helper()
	var signature bytes.Buffer
	if err := openpgp.DetachSign(&signature, s.Key, strings.NewReader(sums), nil); err != nil {
		t.Fatal(err)
	}
	s.Files[OpenTofuFile(version, "SHA256SUMS")] = []byte(sums)
	s.Files[OpenTofuFile(version, "SHA256SUMS.gpgsig")] = signature.Bytes()
}

// NewAtmos is a site with the files of Atmos' releases on GitHub: the program itself, and checksums.
func NewAtmos(t *testing.T, versions map[string]string) (*Site, string) {
	t.Helper()
	s := &Site{Files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for version, program := range versions {
		file := AtmosFile(version, runtime.GOOS+"_"+runtime.GOARCH)
		s.Files[file] = []byte(program)
		s.Files[AtmosFile(version, "SHA256SUMS")] = fmt.Appendf(nil, "%x  %s\n%064d  other\n", sha256.Sum256([]byte(program)), path.Base(file), 0)
	}
	return s, server.URL
}

// AtmosFile is the path of a file of a release of Atmos, which ends in suffix.
func AtmosFile(version, suffix string) string {
	return "/v" + version + "/atmos_" + version + "_" + suffix
}
