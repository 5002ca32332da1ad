package install

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	goversion "github.com/hashicorp/go-version"
)

// toolCache is where the runner keeps the versions of one tool, laid out as every
// action does: dir/VERSION/ARCHITECTURE is a version's folder, and an empty file
// beside it, ARCHITECTURE.complete, says that it is whole. In what is installed here, that file
// holds the SHA-256 of the executable, which is compared each time before it is run: another job
// may have changed it on a disk that lasts. Whoever can write both is not stopped by that.
// https://github.com/actions/toolkit/blob/main/packages/tool-cache/src/tool-cache.ts
type toolCache struct {
	dir  string
	name string // of the tool, and of its executable
}

const completeSuffix = ".complete"

func (c toolCache) folder(version *goversion.Version) string {
	return filepath.Join(c.dir, version.String(), nodeArch(runtime.GOARCH))
}

// executable is that of a version, or nothing when that is not there, not whole, or not what
// was installed here.
func (c toolCache) executable(version *goversion.Version) string {
	folder := c.folder(version)
	installed, err := os.ReadFile(folder + completeSuffix)
	if err != nil {
		return ""
	}
	program := executable(filepath.Join(folder, c.name))
	if program == "" || len(installed) == 0 { // other actions leave it empty
		return program
	}
	if sum, err := fileSum(program); err != nil || sum != string(installed) {
		return ""
	}
	return program
}

// fileSum is the SHA-256 of a file, in hexadecimal.
func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// newest is the executable of the newest version that will do, or nothing.
func (c toolCache) newest(want wanted) (path string) {
	if want.exact != nil {
		return c.executable(want.exact)
	}
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return "" // nothing is there yet
	}
	var best *goversion.Version
	for _, entry := range entries {
		version, err := goversion.NewSemver(entry.Name())
		if err != nil || version.String() != entry.Name() || version.Prerelease() != "" ||
			!want.check(version) || best != nil && version.LessThan(best) {
			continue
		}
		if program := c.executable(version); program != "" {
			best, path = version, program
		}
	}
	return path
}

// add has install fill a version's folder, and returns the executable. Others that
// look see all of it or nothing: it is made beside its place and renamed. When
// another job was faster, its copy is used.
func (c toolCache) add(version *goversion.Version, install func(dir string) error) (string, error) {
	folder := c.folder(version)
	//nolint:gosec // as the runner's other tools
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return "", err
	}
	private, err := os.MkdirTemp(c.dir, ".installing-*") // on the same disk
	if err != nil {
		return "", err
	}
	defer func() { _ = os.RemoveAll(private) }()
	made := filepath.Join(private, "made")
	//nolint:gosec // the same
	if err := os.Mkdir(made, 0o755); err != nil {
		return "", err
	}
	if err := install(made); err != nil {
		return "", err
	}
	sum, err := fileSum(filepath.Join(made, c.name))
	if err != nil {
		return "", fmt.Errorf("there is no %s in the release: %w", c.name, err)
	}

	_, err = os.Lstat(folder) // before the marker is looked for, which a whole one never lacks
	inTheWay := err == nil
	if program := c.executable(version); program != "" {
		return program, nil
	}
	if inTheWay { // a part, left by a job that was killed
		if err := os.Rename(folder, filepath.Join(private, "part")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	// First, so that a folder made here is never without it; whole at once, for who reads it now.
	marker := filepath.Join(private, "complete")
	//nolint:gosec // the same
	if err := os.WriteFile(marker, []byte(sum), 0o644); err != nil {
		return "", err
	}
	if err := os.Rename(marker, folder+completeSuffix); err != nil {
		return "", err
	}
	err = os.Rename(made, folder)
	if program := c.executable(version); program != "" {
		return program, nil // also when another job was faster just now
	}
	if err == nil {
		err = fmt.Errorf("there is no %s in the release", c.name)
	}
	return "", err
}

// nodeArch is an architecture as Node.js calls it, and so the tool cache.
// https://nodejs.org/api/os.html#osarch
func nodeArch(goarch string) string {
	switch goarch {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	case "ppc64le":
		return "ppc64"
	}
	return goarch
}
