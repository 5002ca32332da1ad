package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/hashicorp/go-retryablehttp"
	goversion "github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/httpclient"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
	"github.com/terraform-gitops/gitops/shared/retry"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// Releases is a site that Terraform is downloaded from. The zero value is HashiCorp's.
type Releases struct {
	// URL is the address of a site laid out as https://releases.hashicorp.com.
	URL string
	// PublicKey is the ASCII-armored OpenPGP key that must have signed the
	// checksums. When empty, HashiCorp's own.
	PublicKey string
	// Client makes the requests. nil is a client that uses the proxies in the process'
	// environment and tries three times.
	Client *http.Client
}

// installTimeout is the limit for a download, of some 30 MB.
const installTimeout = 5 * time.Minute

// newest returns the newest release that satisfies the constraints; pre-releases are
// left out.
func (r Releases) newest(ctx context.Context, among goversion.Constraints) (*goversion.Version, error) {
	list := releases.Versions{
		Product:     product.Terraform,
		Constraints: among,
		ApiBaseURL:  r.URL,
		HTTPClient:  r.client(),
	}
	sources, err := list.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, source := range slices.Backward(sources) { // newest first
		if release, ok := source.(*releases.ExactVersion); ok && release.Version.Prerelease() == "" {
			return release.Version, nil
		}
	}
	return nil, errors.New("there is no such release")
}

// install downloads a release into dir, and returns the path of the executable. It verifies
// the checksum of the download, and the signature of the checksum.
//
// dir must be empty, and the caller must try the executable: hc-install 0.10.0 loses every
// error after the download has begun, also that of a wrong checksum (the deferred removal
// of the archive overwrites it), and continues with what it finds in dir. It unpacks
// nothing of an archive with a wrong checksum.
func (r Releases) install(ctx context.Context, version *goversion.Version, dir string) (string, error) {
	release := releases.ExactVersion{
		Product:          product.Terraform,
		Version:          version,
		InstallDir:       dir,
		Timeout:          installTimeout,
		ArmoredPublicKey: r.PublicKey,
		ApiBaseURL:       r.URL,
		HTTPClient:       r.client(),
	}
	path, err := release.Install(ctx)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the download is not complete, or does not have the signed checksum: %w", err)
	}
	return path, err
}

func (r Releases) client() *http.Client {
	if r.Client != nil {
		return r.Client
	}
	// Not the default of five tries: they take 15 seconds on a runner without a network.
	return httpclient.New(func(c *retryablehttp.Client) { c.RetryMax = 2 })
}

// site is where a program is downloaded from.
type site interface {
	newest(ctx context.Context, among goversion.Constraints) (*goversion.Version, error)
	install(ctx context.Context, version *goversion.Version, dir string) (string, error)
}

func (o Options) site() site {
	if o.Name == terraform.OpenTofu {
		return o.OpenTofu
	}
	return o.Releases
}

// fromToolCache returns the newest allowed program in the tool cache. If there is none,
// it first installs the newest allowed release there.
func (o Options) fromToolCache(ctx context.Context, want wanted) (string, error) {
	cache, err := o.toolCache()
	if err != nil {
		return "", err
	}
	if path := cache.newest(want); path != "" {
		return path, nil
	}
	version := want.exact
	if version == nil {
		if version, err = o.site().newest(ctx, want.among); err != nil {
			return "", err
		}
	}
	path, err := cache.add(version, func(dir string) error {
		program, err := o.site().install(ctx, version, dir)
		if err != nil {
			return err
		}
		//nolint:gosec // as for the runner's other tools, other users may run it
		if err := os.Chmod(program, 0o755); err != nil {
			return err
		}
		return o.mustBe(ctx, program, version)
	})
	if err != nil {
		return "", err
	}
	o.logf("Installed %s %s, since %s wants %s: %s", o.Name, version, want.by, want.text, path)
	return path, nil
}

// While another goroutine starts a process, that process may briefly hold the executable
// open that was just written. Until it is closed, it cannot be executed:
// https://go.dev/issue/22315
var busy = retry.Policy{Tries: 20, Wait: 50 * time.Millisecond}

// mustBe starts a downloaded executable to check its version. The index of releases is not
// signed: it may have named the files of another release, such as an old one with known
// vulnerabilities.
func (o Options) mustBe(ctx context.Context, program string, version *goversion.Version) error {
	var is terraform.Version
	var number *goversion.Version
	err := busy.Do(ctx, func() (again bool, err error) {
		is, number, err = o.version(ctx, program)
		return errors.Is(err, syscall.ETXTBSY), err
	})
	if err != nil {
		return err
	}
	if is.Name != o.Name || !number.Equal(version) {
		return fmt.Errorf("the site sent %s in place of %s %s", is, o.Name, version)
	}
	return nil
}
