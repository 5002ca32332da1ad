package modules

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Files are the files of all modules that init has installed from outside of the
// repository: from a registry, Git, or another source that is not a local path.
type Files struct {
	// Digest is the hex SHA-256 over all files; never empty.
	Digest string
	// Files maps names such as "module.vpc: scripts/run.sh" to the first 16 hex digits
	// of the file's SHA-256.
	Files map[string]string
}

// ReadFiles reads what init has installed for the root module in dir. A module's source may
// move, such as a branch, and Terraform reads all of its files except .tf files again when
// it applies.
//
// The whole package of a module counts, also what lies beside the folder that a source with
// // names, since modules read and call what is there. Git's own folders do not count. A
// symbolic link counts with its target path and with the content of its target.
//
// Set planned if a plan has run since the init, as with Atmos, whose plan begins with an
// init. Then files that are newer than what init wrote last are left out, such as a zip that
// the plan has built.
func ReadFiles(dir, dataDir string, planned bool) (Files, error) {
	list, err := ReadManifest(dir, dataDir)
	if err != nil {
		return Files{}, err
	}
	all := packageFiles{files: make(map[string][sha256.Size]byte), buffer: make([]byte, 64<<10)}
	if planned {
		all.installed = list.written
	}
	for _, key := range slices.Sorted(maps.Keys(list.Calls)) {
		m := list.Calls[key]
		if key == "" || m.Local() {
			continue
		}
		folder := filepath.FromSlash(path.Clean(filepath.ToSlash(m.Dir)))
		// DATADIR/modules/KEY is the package, in which the module may lie deeper.
		if inside, ok := strings.CutPrefix(filepath.ToSlash(folder), list.DataDir+"/modules/"); ok {
			first, _, _ := strings.Cut(inside, "/")
			folder = filepath.FromSlash(list.DataDir + "/modules/" + first)
		}
		if err := all.add(m.address(), under(dir, folder)); err != nil {
			return Files{}, fmt.Errorf("read the files of %s: %w", m, err)
		}
	}
	return all.result(), nil
}

// packageFiles collects the files of module packages.
type packageFiles struct {
	files     map[string][sha256.Size]byte
	installed time.Time // newer files are left out; zero leaves out nothing
	buffer    []byte
}

func (p *packageFiles) result() Files {
	found := Files{Files: make(map[string]string, len(p.files))}
	whole := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		sum := p.files[name]
		fmt.Fprintf(whole, "%q %x\n", name, sum)
		found.Files[printable(name)] = hex.EncodeToString(sum[:8])
	}
	found.Digest = hex.EncodeToString(whole.Sum(nil))
	return found
}

// Bounded is Files or, if that takes more than limit bytes, one entry for each module:
// "module.vpc: *".
func (m Files) Bounded(limit int) map[string]string {
	size := 0
	for name, sum := range m.Files {
		size += len(name) + len(sum)
	}
	if size <= limit {
		return m.Files
	}
	return m.perModule()
}

const allFiles = ": *"

func (m Files) perModule() map[string]string {
	lines := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		module, _, _ := strings.Cut(name, ": ")
		lines[module] = append(lines[module], name+" "+m.Files[name])
	}
	all := make(map[string]string, len(lines))
	for module, files := range lines {
		sum := sha256.Sum256([]byte(strings.Join(files, "\n")))
		all[module+allFiles] = hex.EncodeToString(sum[:8])
	}
	return all
}

// As is Files in the form of other, which is a result of Bounded.
func (m Files) As(other map[string]string) map[string]string {
	for name := range other {
		if strings.HasSuffix(name, allFiles) {
			return m.perModule()
		}
	}
	return m.Files
}

// printable quotes a name that can't be stored as text or shown on one line.
func printable(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// add reads a package. If its source is an absolute path, folder is a link to that.
func (p *packageFiles) add(module, folder string) error {
	real, err := filepath.EvalSymlinks(folder)
	if errors.Is(err, fs.ErrNotExist) {
		p.files[module+": "] = sha256.Sum256([]byte("not installed"))
		return nil
	}
	if err != nil {
		return err
	}
	return p.walk(module+": ", real, real == folder, []string{real})
}

// walk adds all files in a folder. within lists the folders above it, with links resolved: a
// link to one of these is not followed, since that would never end.
func (p *packageFiles) walk(prefix, folder string, installed bool, within []string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name, at := prefix+entry.Name(), filepath.Join(folder, entry.Name())
		if entry.Name() == ".git" || entry.Name() == ".terraform" && !installed {
			continue
		}
		sum := sha256.New()
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			text, err := os.Readlink(at)
			if err != nil {
				return err
			}
			fmt.Fprintf(sum, "link %q\n", filepath.ToSlash(text))
			if at, err = filepath.EvalSymlinks(at); err != nil {
				p.keep(name, sum) // its target does not exist, or is the link itself
				continue
			}
			if info, err = os.Stat(at); err != nil {
				return err
			}
			if info.IsDir() {
				p.keep(name, sum)
			}
		}
		switch {
		case info.IsDir() && slices.Contains(within, at):
		case info.IsDir():
			if err := p.walk(name+"/", at, installed, append(slices.Clone(within), at)); err != nil {
				return err
			}
		case info.Mode().IsRegular() && installed && !p.installed.IsZero() && info.ModTime().After(p.installed):
		case info.Mode().IsRegular():
			if err := p.read(sum, at); err != nil {
				return err
			}
			p.keep(name, sum)
		}
	}
	return nil
}

func (p *packageFiles) keep(name string, sum hash.Hash) {
	p.files[name] = [sha256.Size]byte(sum.Sum(nil))
}

func (p *packageFiles) read(to io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = io.CopyBuffer(to, struct{ io.Reader }{f}, p.buffer)
	return err
}
