package install

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	goversion "github.com/hashicorp/go-version"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// AtmosOptions say which Atmos is wanted.
type AtmosOptions struct {
	Version   string   // exact, with or without a "v"
	Oldest    string   // the oldest version that works; empty: any
	Environ   []string // as for [Options]
	ToolCache string   // as for [Options]
	// Releases is the address of the releases, as https://github.com/cloudposse/atmos/releases/download.
	// That is the default.
	Releases string
	Client   *http.Client // as for [Releases]
	// Is returns the version of the Atmos at path, or nothing if it can't tell.
	Is  func(ctx context.Context, path string) string
	Log io.Writer
}

const atmosReleases = "https://github.com/cloudposse/atmos/releases/download"

// Atmos returns the absolute path of an Atmos of the wanted version: the one on PATH, the one in the
// tool cache, or the release, which is downloaded into the tool cache. A download must have the
// checksum that the release has published; it is not signed.
func Atmos(ctx context.Context, o AtmosOptions) (string, error) {
	version, err := goversion.NewSemver(strings.TrimPrefix(o.Version, "v"))
	if err != nil {
		return "", problem.With(problem.Input, fmt.Errorf("input `atmos-version` is %.80q: give a version, such as 1.196.0", o.Version))
	}
	if oldest, err := goversion.NewVersion(o.Oldest); err == nil && version.LessThan(oldest) {
		return "", problem.With(problem.Atmos, fmt.Errorf("input `atmos-version` is %s: take %s or newer, the oldest that works", version, oldest))
	}
	find := Options{Name: "atmos", Environ: o.Environ, ToolCache: o.ToolCache, Log: o.Log}
	if path := find.onPath(); path != "" && o.is(ctx, path, version) {
		return path, nil
	}
	cache, err := find.toolCache()
	if err != nil {
		return "", problem.With(problem.Atmos, fmt.Errorf("install Atmos %s: %w", version, err))
	}
	if path := cache.executable(version); path != "" {
		return path, nil
	}
	path, err := cache.add(version, func(dir string) error { return o.install(ctx, version, dir) })
	if err != nil {
		return "", problem.With(problem.Atmos, fmt.Errorf("install Atmos %s, which the input `atmos-version` wants: %w", version, err))
	}
	find.logf("Installed Atmos %s: %s", version, path)
	return path, nil
}

func (o AtmosOptions) is(ctx context.Context, path string, version *goversion.Version) bool {
	is, err := goversion.NewVersion(o.Is(ctx, path))
	return err == nil && is.Equal(version)
}

// install downloads a release, whose program is not packed. https://github.com/cloudposse/atmos/blob/main/.goreleaser.yml
func (o AtmosOptions) install(ctx context.Context, version *goversion.Version, dir string) (err error) {
	ctx, cancel := context.WithTimeout(ctx, installTimeout)
	defer cancel()
	release := fmt.Sprintf("%s/v%s/atmos_%[2]s_", cmp.Or(o.Releases, atmosReleases), version)
	name := fmt.Sprintf("atmos_%s_%s_%s", version, runtime.GOOS, runtime.GOARCH)
	sums, err := OpenTofuReleases{Client: o.Client}.download(ctx, release+"SHA256SUMS")
	if err != nil {
		return err
	}
	program, err := get(ctx, o.Client, release+runtime.GOOS+"_"+runtime.GOARCH)
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	path := filepath.Join(dir, "atmos")
	//nolint:gosec // as for the runner's other tools, other users may run it
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(file, sum), io.LimitReader(program, largestProgram))
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("download %s: %w", name, err)
	}
	if err := checkSum(sums, name, [sha256.Size]byte(sum.Sum(nil))); err != nil {
		return err
	}
	if !o.is(ctx, path, version) {
		return fmt.Errorf("what was downloaded as %s says that it is another version", name)
	}
	return nil
}
