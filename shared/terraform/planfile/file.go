// Package planfile reads what a planfile of Terraform or OpenTofu tells besides the changes
// it plans ([Open]), and compares it with what is checked out and set up: the configuration,
// the backend. It runs neither program.
//
// A planfile is a zip file (zip_directory.go checks its size first) with
//
//   - the plan itself, a protocol buffer (plan.go, wire.go) with values in msgpack
//     (msgpack.go, variables.go) and the backend (backend.go);
//   - the state that the plan was made on (state.go);
//   - the configuration (config.go);
//   - the dependency lock file.
//
// Whoever may write planfiles may forge them, so nothing in one is trusted: what can be read
// in two ways is an error, and everything has a limit.
package planfile

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/terraform/modules"
)

// ErrEncrypted is returned by Open for a planfile that OpenTofu has encrypted. Its content
// is unknown: only OpenTofu has the key.
var ErrEncrypted = errors.New("the planfile is encrypted by OpenTofu: " +
	"its lock file, configuration and state serial are unknown")

// Limits on what a planfile may hold. They are far above what Terraform writes, and keep a
// forged planfile from using up the runner's memory.
const (
	maxPlanfileEntries = 100_000
	maxLockFile        = 16 << 20
	maxConfigBytes     = 256 << 20 // all configuration files together
	maxPlanBytes       = 4 << 30   // tfplan, which is skimmed, not held
	maxStateHead       = 64 << 10  // the beginning of tfstate, where lineage and serial are
)

// File is what a planfile tells besides the changes it plans. None of it is
// secret but what Variables returns.
type File struct {
	// LockFile is the .terraform.lock.hcl that the plan was made with. Terraform applies
	// the plan only with this one.
	LockFile []byte
	// Lineage and Serial name the state that the plan was made on. They are empty and 0
	// if there was none.
	Lineage string
	Serial  uint64
	// NoResources says that this state had no resource before the plan refreshed it, or
	// that there was no state.
	NoResources bool
	// TerraformVersion is the version of the program that made the plan. A planfile
	// does not say whether that was Terraform or OpenTofu.
	TerraformVersion string
	// Backend is the type of backend, such as "s3", and Workspace the workspace
	// in it. Both are empty if the plan has no backend.
	Backend   string
	Workspace string

	modules          []module
	field22, field28 []string // names of ephemeral variables: see Ephemeral
	planned          planned
}

// module is one module call of the configuration in the planfile.
type module struct {
	modules.Call
	files map[string][sha256.Size]byte
}

// Open reads the planfile at path and closes it again. It knows the layout that Terraform
// has used since 0.12, and OpenTofu. Anything in it that Terraform could read in two ways,
// such as an entry that is there twice, is an error. The error of an encrypted planfile is
// [ErrEncrypted].
func Open(path string) (*File, error) {
	var p File
	if err := withZip(path, p.read); err != nil {
		return nil, problem.With(problem.Planfile, fmt.Errorf("planfile %s: %w", path, err))
	}
	return &p, nil
}

// Workspace reads only the workspace that the planfile at path was made in, and the type of
// its backend. Both are empty if the plan has no backend. Its errors do not name path.
func Workspace(path string) (backend, workspace string, err error) {
	var p File
	err = withZip(path, p.readPlan)
	return p.Backend, p.Workspace, err
}

func withZip(path string, read func(map[string]*zip.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return errors.Unwrap(err) // the caller names the path
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := checkDirectory(f, info.Size()); err != nil {
		return err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return errors.Join(notZip(f, info.Size()), err)
	}
	entries := make(map[string]*zip.File, len(z.File))
	for _, entry := range z.File {
		if entries[entry.Name] != nil {
			return fmt.Errorf("it holds %q twice", entry.Name)
		}
		entries[entry.Name] = entry
	}
	return read(entries)
}

// notZip says what a file is if it is not a zip file.
func notZip(r io.ReaderAt, size int64) error {
	start := make([]byte, min(size, 64<<10))
	if _, err := r.ReadAt(start, 0); err != nil || !bytes.HasPrefix(start, []byte("{")) {
		return errors.New("it is not a planfile, or damaged")
	}
	switch {
	case bytes.Contains(start, []byte(`"remote_plan_format"`)):
		return errors.New("it is a plan kept by HCP Terraform, which can only be applied there")
	case bytes.Contains(start, []byte(`"encrypted_data"`)), bytes.Contains(start, []byte(`"encryption_version"`)):
		return ErrEncrypted
	}
	return errors.New("it is not a planfile")
}

func (p *File) read(entries map[string]*zip.File) error {
	if err := p.readPlan(entries); err != nil {
		return err
	}
	if err := p.readState(entries); err != nil {
		return err
	}
	if err := p.readModules(entries); err != nil {
		return err
	}
	lock, err := content(entries, ".terraform.lock.hcl", maxLockFile)
	p.LockFile = lock
	return err
}

// readModules reads tfconfig/modules.json and digests tfconfig/m-KEY/FILE.
func (p *File) readModules(entries map[string]*zip.File) error {
	const manifest, prefix = "tfconfig/modules.json", "tfconfig/m-"
	list, err := content(entries, manifest, maxLockFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(list, &p.modules); err != nil {
		return fmt.Errorf("%s: %w", manifest, err)
	}
	byKey := make(map[string]*module, len(p.modules))
	for i := range p.modules {
		m := &p.modules[i]
		if byKey[m.Key] != nil {
			return fmt.Errorf("%s: module %q is there twice", manifest, m.Key)
		}
		m.files = map[string][sha256.Size]byte{}
		byKey[m.Key] = m
	}
	left := int64(maxConfigBytes)
	for name, entry := range entries {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if !fs.ValidPath(name) || strings.ContainsAny(name, "\\\x00") {
			return fmt.Errorf("%q is not the name of a configuration file", name)
		}
		dir, file := path.Split(rest)
		m := byKey[strings.TrimSuffix(dir, "/")]
		if m == nil || dir == "" {
			return fmt.Errorf("%s: it belongs to no module in %s", name, manifest)
		}
		hash := sha256.New()
		n, err := extract(entry, hash, left)
		if err != nil {
			return err
		}
		left -= n
		m.files[file] = [sha256.Size]byte(hash.Sum(nil))
	}
	return nil
}

func content(entries map[string]*zip.File, name string, limit int64) ([]byte, error) {
	entry := entries[name]
	if entry == nil {
		return nil, fmt.Errorf("it is not a planfile: it holds no %s", name)
	}
	var b bytes.Buffer
	_, err := extract(entry, &b, limit)
	return b.Bytes(), err
}

// extract copies an entry and verifies its checksum. An entry that is larger than limit is
// an error.
func extract(entry *zip.File, w io.Writer, limit int64) (int64, error) {
	r, err := entry.Open()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", entry.Name, err)
	}
	defer func() { _ = r.Close() }()
	n, err := io.Copy(w, io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return n, fmt.Errorf("%s: %w", entry.Name, err)
	case n > limit:
		return n, fmt.Errorf("%s is larger than the %d bytes that are read", entry.Name, limit)
	}
	return n, nil
}
