// Package needs runs `make needs` on machines that lack something. Their PATH has links to the programs
// that make itself runs, and scripts that stand in for what the tests need.
package needs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/test/kit/executable"
)

// programs are on the PATH of a machine that lacks nothing. An empty script does nothing.
var programs = map[string]string{
	"aws": "", "git": "", "ssh": "", "cc": "", "npm": "", "python3": "", "chromium": "", "moto_server": "",
	"node":      `echo v20.20.2`,
	"id":        `echo 1000`,
	"uname":     `echo Linux`,
	"terraform": `echo '{"terraform_version": "1.17.0-dev", "terraform_outdated": false}'`,
}

// aptGet and brew install their last argument, and log their arguments.
const (
	aptGet = `echo "apt-get $*" >>"$CALLS"; for last; do :; done; [ "$last" = update ] || { echo '#!/bin/sh' >"${STANDINS:?}/$last"; chmod +x "${STANDINS:?}/$last"; }`
	brew   = `echo "brew $*" >>"$CALLS"; echo '#!/bin/sh' >"${STANDINS:?}/google-chrome"; chmod +x "${STANDINS:?}/google-chrome"`
	sudo   = `echo "sudo $*" >>"$CALLS"; shift; exec "$@"` // its first argument is -n
	locked = `exit 1`                                      // a sudo that asks for a password
	pip    = `mkdir -p "$3/bin"; printf '%s\n' '#!/bin/sh' 'echo "pip $*" >>"$CALLS"; printf "#!/bin/sh\n" >"$(dirname "$0")/moto_server"; chmod +x "$(dirname "$0")/moto_server"' >"$3/bin/pip"; chmod +x "$3/bin/pip"`
	venv   = `[ "$1" = -c ] || { ` + pip + `; }`
)

type machine struct {
	t               *testing.T
	bin, tools, log string
}

// newMachine returns a machine with all programs except lacks, and with has in addition.
func newMachine(t *testing.T, lacks []string, has map[string]string) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{t, filepath.Join(dir, "bin"), filepath.Join(dir, "tools"), filepath.Join(dir, "calls")}
	if err := os.Mkdir(m.bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"make", "bash", "sh", "env", "go", "grep", "mkdir", "dirname", "chmod", "true"} {
		path, err := exec.LookPath(name)
		if err == nil && !slices.Contains(lacks, name) {
			err = os.Symlink(path, filepath.Join(m.bin, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, scripts := range []map[string]string{programs, has} {
		for name, script := range scripts {
			if _, more := has[name]; slices.Contains(lacks, name) && !more {
				continue
			}
			if err := executable.Write(filepath.Join(m.bin, name), "#!/bin/sh\n"+script+"\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	return m
}

// needs runs `make needs`: whether it succeeded, what it said, and what it named as missing.
func (m *machine) needs() (ok bool, said string, missing []string) {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), filepath.Join(m.bin, "make"), "--silent", "-C", "../..", "needs", "TOOLS="+m.tools)
	cmd.Env = []string{
		"PATH=" + m.bin, "STANDINS=" + m.bin, "CALLS=" + m.log, "HOME=" + m.t.TempDir(),
		"HTTPS_PROXY=http://127.0.0.1:1", // no network
	}
	out, err := exec.CommandContext(m.t.Context(), "go", "env", "GOROOT", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOSUMDB").Output()
	if err != nil {
		m.t.Fatal(err)
	}
	for i, value := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		cmd.Env = append(cmd.Env, []string{"GOROOT=", "GOCACHE=", "GOMODCACHE=", "GOFLAGS=", "GOPROXY=", "GOSUMDB="}[i]+value)
	}
	printed, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(printed)) {
		if line, ok := strings.CutPrefix(line, "make needs: "); ok && !strings.HasPrefix(line, "installing ") {
			missing = append(missing, strings.Fields(line)[0])
		}
	}
	return err == nil, string(printed), missing
}

// calls are the calls that change the machine.
func (m *machine) calls() []string {
	content, err := os.ReadFile(m.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		m.t.Fatal(err)
	}
	return strings.FieldsFunc(string(content), func(r rune) bool { return r == '\n' })
}

const (
	update  = "apt-get -qq -o DPkg::Lock::Timeout=600 update"
	install = "apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "
	asRoot  = "echo 0"
	noRoot  = "echo 1000"
)

func TestWhatIsMissingIsNamedOrInstalled(t *testing.T) {
	t.Parallel()
	chromium := "chromium"
	if release, err := os.ReadFile("/etc/os-release"); err == nil && strings.Contains("\n"+string(release), "\nID=ubuntu\n") {
		chromium = "chromium-browser"
	}
	install := install + chromium
	for name, test := range map[string]struct {
		lacks   []string
		has     map[string]string
		missing []string // that are named, and nothing else
		says    string
		calls   []string // of what installs
	}{
		"nothing": {},
		"git":     {lacks: []string{"git"}, missing: []string{"git"}, says: "install Git"},
		"git, on Debian": {lacks: []string{"git"}, has: map[string]string{"apt-get": aptGet}, missing: []string{"git"},
			says: "type: sudo apt-get install git\n"},
		"git, for root": {lacks: []string{"git"}, has: map[string]string{"apt-get": aptGet, "id": asRoot}, missing: []string{"git"},
			says: "type: apt-get install git\n"},
		"git, on macOS": {lacks: []string{"git"}, has: map[string]string{"brew": brew, "uname": "echo Darwin"}, missing: []string{"git"},
			says: "type: brew install git\n"},
		"the AWS CLI": {lacks: []string{"aws"}, has: map[string]string{"apt-get": aptGet}, missing: []string{"aws"},
			says: "type: sudo apt-get install awscli\n"},
		"Go":                             {lacks: []string{"go"}, missing: []string{"go"}, says: "https://go.dev/dl"},
		"a C compiler":                   {lacks: []string{"cc"}, missing: []string{"cc"}, says: "install a C compiler"},
		"Node.js":                        {lacks: []string{"node"}, missing: []string{"npm"}, says: "Node.js 20 or newer"},
		"npm":                            {lacks: []string{"npm"}, missing: []string{"npm"}, says: "Node.js 20 or newer"},
		"a new Node.js":                  {has: map[string]string{"node": "echo v18.19.0"}, missing: []string{"npm"}, says: "is of Node.js v18.19.0"},
		"Python":                         {lacks: []string{"python3", "moto_server"}, missing: []string{"python3"}, says: "moto_server"},
		"Python, which moto alone needs": {lacks: []string{"python3"}},
		"Python's venv": {lacks: []string{"moto_server"}, has: map[string]string{"python3": "exit 1", "apt-get": aptGet},
			missing: []string{"python3"}, says: "type: sudo apt-get install python3-venv\n"},
		"moto_server": {lacks: []string{"moto_server"}, has: map[string]string{"python3": venv},
			says: "installing moto[server]==", calls: []string{"pip install --quiet moto[server]=="}},
		"moto_server, which pip cannot reach": {lacks: []string{"moto_server"},
			has:     map[string]string{"python3": `[ "$1" = -c ] || { mkdir -p "$3/bin"; echo 'exit 1' >"$3/bin/pip"; chmod +x "$3/bin/pip"; }`},
			missing: []string{"moto_server"}, says: "type: pip install 'moto[server]=="},
		"Terraform, which cannot be reached": {lacks: []string{"terraform"}, missing: []string{"Terraform", "terraform"}, says: "terraform is not on PATH, and cannot be downloaded"},
		"a new Terraform": {has: map[string]string{"terraform": strings.Replace(programs["terraform"], "1.17.0-dev", "1.8.5", 1)},
			missing: []string{"Terraform", "terraform"}, says: "is 1.8.5"},

		"Chromium":                           {lacks: []string{"chromium"}, missing: []string{"chromium"}, says: "install Chromium"},
		"Chromium, by another name":          {lacks: []string{"chromium"}, has: map[string]string{"google-chrome": ""}},
		"Chromium, for root":                 {lacks: []string{"chromium"}, has: map[string]string{"id": asRoot, "apt-get": aptGet}, says: "installing Chromium: apt-get install " + chromium + "\n", calls: []string{update, install}},
		"Chromium, for root without apt-get": {lacks: []string{"chromium"}, has: map[string]string{"id": asRoot}, missing: []string{"chromium"}, says: "install Chromium"},
		"Chromium, with sudo": {lacks: []string{"chromium"}, has: map[string]string{"id": noRoot, "sudo": sudo, "apt-get": aptGet},
			says:  "installing Chromium: sudo apt-get install " + chromium + "\n",
			calls: []string{"sudo -n true", "sudo -n " + update, update, "sudo -n env DEBIAN_FRONTEND=noninteractive " + install, install}},
		"Chromium, with a sudo that asks for a password": {lacks: []string{"chromium"}, has: map[string]string{"sudo": locked, "apt-get": aptGet},
			missing: []string{"chromium"}, says: "type: sudo apt-get install " + chromium + "\n"},
		"Chromium, without sudo": {lacks: []string{"chromium"}, has: map[string]string{"apt-get": aptGet},
			missing: []string{"chromium"}, says: "type: sudo apt-get install " + chromium + "\n"},
		"Chromium, which apt-get does not have": {lacks: []string{"chromium"}, has: map[string]string{"id": asRoot, "apt-get": `echo "E: no package" >&2; exit 100`},
			missing: []string{"chromium"}, says: "E: no package"},
		"Chromium, where the list of packages cannot be fetched": {lacks: []string{"chromium"},
			has: map[string]string{"id": asRoot, "apt-get": aptGet + `; [ "$last" != update ]`}, says: "installing", calls: []string{update, install}},
		"Chromium, on macOS": {lacks: []string{"chromium"}, has: map[string]string{"brew": brew, "uname": "echo Darwin"},
			says: "brew install --cask google-chrome\n", calls: []string{"brew install --cask google-chrome"}},
		"Chromium, on macOS without Homebrew": {lacks: []string{"chromium"}, has: map[string]string{"uname": "echo Darwin"},
			missing: []string{"chromium"}, says: "type: brew install --cask google-chrome\n"},

		"all": {lacks: []string{"git", "go", "cc", "node", "npm", "python3", "moto_server", "chromium", "terraform"}, has: map[string]string{"apt-get": aptGet},
			missing: []string{"git", "go", "cc", "npm", "python3", "chromium"}, says: "type: sudo apt-get install " + chromium + "\n"},
		"one that can be installed, and one that cannot: nothing is": {lacks: []string{"cc", "chromium", "moto_server"},
			has: map[string]string{"id": asRoot, "apt-get": aptGet, "python3": venv}, missing: []string{"cc"}},
		"two that cannot be installed after all": {lacks: []string{"chromium", "moto_server", "terraform"},
			has: map[string]string{"id": asRoot, "apt-get": "exit 100", "python3": `[ "$1" = -c ]`}, missing: []string{"chromium", "moto_server", "Terraform", "terraform"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, test.lacks, test.has)
			ok, said, missing := m.needs()
			if ok != (len(test.missing) == 0) {
				t.Errorf("succeeded: %t", ok)
			}
			if diff := cmp.Diff(test.missing, missing); diff != "" {
				t.Errorf("what is named (-want +got):\n%s", diff)
			}
			if !strings.Contains(said, test.says) {
				t.Errorf("it does not say %q", test.says)
			}
			if len(test.missing)+len(test.calls) == 0 && said != "" {
				t.Error("it said something")
			}
			calls := m.calls()
			if !slices.EqualFunc(calls, test.calls, strings.HasPrefix) {
				t.Errorf("called %q, want %q", calls, test.calls)
			}
			if t.Failed() {
				t.Log(said)
			}
			if !ok || len(test.calls) == 0 {
				return
			}
			if ok, said, _ := m.needs(); !ok || said != "" {
				t.Errorf("the second time: %t, %s", ok, said)
			}
		})
	}
}

// A Terraform that was downloaded once is found without a network. As soon as there is another one on
// PATH, that is used.
func TestTheTerraformThatWasDownloadedIsUsedWhileThereIsNoOther(t *testing.T) {
	t.Parallel()
	m := newMachine(t, []string{"terraform"}, nil)
	arch := map[string]string{"amd64": "x64"}[runtime.GOARCH]
	if arch == "" {
		arch = runtime.GOARCH
	}
	folder := filepath.Join(m.tools, "terraform", "1.17.0", arch)
	downloaded := filepath.Join(folder, "terraform")
	link := filepath.Join(m.tools, "path", "terraform")
	script := "#!/bin/sh\n" + strings.Replace(programs["terraform"], "-dev", "", 1) + "\n"
	err := errors.Join(os.MkdirAll(folder, 0o755), executable.Write(downloaded, script), os.WriteFile(folder+".complete", nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time, it is on PATH by that link
		if ok, said, _ := m.needs(); !ok || said != "" {
			t.Fatalf("succeeded: %t, and said %s", ok, said)
		}
		if to, err := os.Readlink(link); to != downloaded {
			t.Fatalf("the link leads to %q, want %s: %v", to, downloaded, err)
		}
	}
	if err := executable.Write(filepath.Join(m.bin, "terraform"), fmt.Sprintf("#!/bin/sh\n%s\n", programs["terraform"])); err != nil {
		t.Fatal(err)
	}
	if ok, said, _ := m.needs(); !ok || said != "" {
		t.Fatalf("succeeded: %t, and said %s", ok, said)
	}
	if _, err := os.Lstat(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the link is there, before the Terraform on PATH: %v", err)
	}
}
