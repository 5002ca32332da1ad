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

// toolCache is where the runner keeps the versions of one tool. It has the layout that all
// actions use: dir/VERSION/ARCHITECTURE is a version's folder, and an empty file beside it,
// ARCHITECTURE.complete, says that it is complete. For what is installed here, that file
// holds the SHA-256 of the executable, which is compared each time before it runs: on a
// self-hosted runner another job may have changed it. That does not stop an attacker who can
// write both files.
// https://github.com/actions/toolkit/blob/main/packages/tool-cache/src/tool-cache.ts
type toolCache struct {
	dir  string
	name string // the name of the tool and of its executable
}

const completeSuffix = ".complete"

func (c toolCache) folder(version *goversion.Version) string {
	return filepath.Join(c.dir, version.String(), nodeArch(runtime.GOARCH))
}

// executable is the path of a version's executable, or nothing if it is not there, not
// complete, or not what was installed here.
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

// newest is the path of the newest allowed version's executable, or nothing.
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

// add calls install to fill a version's folder, and returns the executable's path. The
// folder is filled elsewhere and then renamed, so that other jobs see all of it or nothing.
// If another job was faster, its copy is used.
func (c toolCache) add(version *goversion.Version, install func(dir string) error) (string, error) {
	folder := c.folder(version)
	//nolint:gosec // other users may read it, as the runner's other tools
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

	_, err = os.Lstat(folder) // before the marker is read: a complete folder always has one
	inTheWay := err == nil
	if program := c.executable(version); program != "" {
		return program, nil
	}
	if inTheWay { // a job that was killed has left an incomplete folder
		if err := os.Rename(folder, filepath.Join(private, "part")); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	// The marker comes first, so that a folder made here always has one. It is renamed, so that
	// others read all of it.
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

// nodeArch is the name that Node.js, and so the tool cache, has for an architecture.
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
