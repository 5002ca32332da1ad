package install

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	goversion "github.com/hashicorp/go-version"
	"github.com/opentofu/tofudl/branding"

	"github.com/terraform-gitops/gitops/shared/terraform"
)

// OpenTofuReleases is a site that OpenTofu is downloaded from. The zero value is OpenTofu's own: the
// list of get.opentofu.org, and the releases on GitHub.
type OpenTofuReleases struct {
	// List is the address of the list of versions, as https://get.opentofu.org/tofu/api.json.
	List string
	// Files is the address of a file of a release, a template with .Version and .Artifact.
	Files string
	// PublicKey is the ASCII-armored OpenPGP key that must have signed the checksums. When empty,
	// OpenTofu's own.
	PublicKey string
	// Client makes the requests. nil is as for [Releases].
	Client *http.Client
}

func (r OpenTofuReleases) newest(ctx context.Context, among goversion.Constraints) (*goversion.Version, error) {
	text, err := r.download(ctx, cmp.Or(r.List, branding.DefaultDownloadAPIURL))
	if err != nil {
		return nil, err
	}
	var list struct{ Versions []struct{ ID string } }
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read the list of releases: %w", err)
	}
	var newest *goversion.Version
	for _, release := range list.Versions {
		version, err := goversion.NewSemver(release.ID)
		if err == nil && version.Prerelease() == "" && among.Check(version) && (newest == nil || version.GreaterThan(newest)) {
			newest = version
		}
	}
	if newest == nil {
		return nil, errors.New("there is no such release")
	}
	return newest, nil
}

// install is as that of [Releases]. It needs no list of releases.
//
// It does what github.com/opentofu/tofudl does, with its addresses and key, and without its code: that
// calls text/template, for which Go's linker keeps every method, so the binary would grow from 21 to 35 MB.
func (r OpenTofuReleases) install(ctx context.Context, version *goversion.Version, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	prefix := branding.ArtifactPrefix + version.String() + "_"
	archiveName := prefix + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"
	get := func(name string) ([]byte, error) {
		return r.download(ctx, strings.NewReplacer("{{ .Version }}", version.String(), "{{ .Artifact }}", name).Replace(cmp.Or(r.Files, branding.DefaultMirrorURLTemplate)))
	}
	sums, err := get(prefix + "SHA256SUMS")
	if err != nil {
		return "", err
	}
	signature, err := get(prefix + "SHA256SUMS.gpgsig")
	if err != nil {
		return "", err
	}
	key, err := openpgp.ReadArmoredKeyRing(strings.NewReader(cmp.Or(r.PublicKey, branding.DefaultGPGKey)))
	if err != nil {
		return "", err
	}
	if _, err := openpgp.CheckDetachedSignature(key, bytes.NewReader(sums), bytes.NewReader(signature), nil); err != nil {
		return "", fmt.Errorf("the checksums of the release are not signed with OpenTofu's key: %w", err)
	}
	archive, err := get(archiveName)
	if err != nil {
		return "", err
	}
	if err := checkSum(sums, archiveName, sha256.Sum256(archive)); err != nil {
		return "", err
	}
	program := filepath.Join(dir, terraform.OpenTofu)
	return program, unpack(archive, terraform.OpenTofu, program)
}

func (r OpenTofuReleases) download(ctx context.Context, address string) ([]byte, error) {
	response, err := get(ctx, r.Client, address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Close() }()
	content, err := io.ReadAll(io.LimitReader(response, largestProgram))
	if err != nil {
		return nil, fmt.Errorf("download %s: %w", address, err)
	}
	return content, nil
}

// get requests a file. A nil client is the one of [Releases].
func get(ctx context.Context, client *http.Client, address string) (io.ReadCloser, error) {
	if client == nil {
		client = Releases{}.client()
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err // it names the address
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("download %s: %s", address, response.Status)
	}
	return response.Body, nil
}

// checkSum compares a checksum with the one in a file of checksums, as sha256sum writes it.
func checkSum(sums []byte, name string, sum [sha256.Size]byte) error {
	for line := range strings.Lines(string(sums)) {
		if fields := strings.Fields(line); len(fields) == 2 && strings.TrimPrefix(fields[1], "*") == name {
			if fields[0] != hex.EncodeToString(sum[:]) {
				return fmt.Errorf("what was downloaded as %s does not have the published checksum", name)
			}
			return nil
		}
	}
	return fmt.Errorf("the release has no checksum of %s", name)
}

// largestProgram limits what is unpacked, in bytes. OpenTofu has some 100 MB.
const largestProgram = 1 << 30

// unpack writes the file of a name in a compressed archive.
func unpack(archive []byte, name, to string) (err error) {
	compressed, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	for files := tar.NewReader(compressed); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("there is no %s in the release", name)
		}
		if err != nil {
			return err
		}
		if header.Name != name || header.Typeflag != tar.TypeReg {
			continue
		}
		file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		n, err := io.Copy(file, io.LimitReader(files, largestProgram))
		if err == nil && n != header.Size {
			err = fmt.Errorf("%s in the release is too large", name)
		}
		return errors.Join(err, file.Close())
	}
}
