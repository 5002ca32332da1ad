package infrastructure

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// kind is a type of attribute, or a block: the name of one, and its values by their names. A value is
// what stands in a resource, in Terraform's language.
type kind struct {
	name   string
	values map[string]string
}

// attribute is a kind whose values differ only in what stands to the right of the equals sign.
func attribute(name, empty, value, other, secret, otherSecret string) kind {
	is := func(v string) string { return name + " = " + v }
	return kind{name, map[string]string{"empty": is(empty), "value": is(value), "other": is(other), "unknown": is("terraform_data.unknown.output." + name),
		"sensitive": is("sensitive(" + secret + ")"), "other sensitive": is("sensitive(" + otherSecret + ")")}}
}

// block is a kind with an attribute of a block. An empty one is there, with nothing in it.
func block(name, open, attribute, value, other, unknown, end string) kind {
	is := func(v string) string { return name + " {\n" + open + attribute + " = " + v + "\n" + end + "}" }
	return kind{name, map[string]string{"empty": name + " {\n" + open + end + "}", "value": is(value), "other": is(other), "unknown": is("terraform_data.unknown.output." + unknown),
		"sensitive": is("sensitive(" + strings.ReplaceAll(value, `"a"`, `"secret-a"`) + ")"), "other sensitive": is("sensitive(" + strings.ReplaceAll(value, `"a"`, `"secret-b"`) + ")")}}
}

var kinds = []kind{
	attribute("string", `""`, `"a"`, `"b"`, `"secret-a"`, `"secret-b"`),
	attribute("number", `0`, `1`, `2`, `7770`, `7771`),
	attribute("bool", `false`, `true`, `false`, `true`, `false`),
	attribute("list", `[]`, `["a", "b"]`, `["b"]`, `["secret-a"]`, `["secret-b"]`),
	attribute("set", `[]`, `["a", "b"]`, `["b"]`, `["secret-a"]`, `["secret-b"]`),
	attribute("map", `{}`, `{ a = "a", b = "b" }`, `{ b = "c" }`, `{ a = "secret-a" }`, `{ a = "secret-b" }`),
	attribute("object", `{}`, `{ text = "a" }`, `{ text = "b", map = {} }`, `{ text = "secret-a" }`, `{ text = "secret-b" }`),
	attribute("objects", `[]`, `[{ text = "a" }, { text = "", set = [] }]`, `[{ text = "a" }, { text = null, set = ["b"] }]`, `[{ text = "secret-a" }]`, `[{ text = "secret-b" }]`),
	block("block_list", "", "text", `"a"`, `"b"`, "string", ""),
	block("block_set", "", "text", `"a"`, `"b"`, "string", ""),
	block("deep", "text = \"\"\ninner {\n", "list", `["a"]`, `["b"]`, "list", "}\n"),
}

// unknown has a value of each kind that is known only after an apply.
const unknown = `resource "terraform_data" "unknown" {
  input = {
    string = %q, number = 1, bool = true, list = tolist(["a"]), set = toset(["a"]), map = tomap({ a = "a" })
    object = { text = "a", map = tomap({ a = "a" }) }, objects = tolist([{ text = "a", set = toset(["a"]) }])
  }
}
`

// row is one change of all kinds, and a resource with them.
type row struct {
	action, before, after string // the names of the values; "-" means that there is no resource
}

func (r row) name() string {
	return strings.NewReplacer(" ", "_", "-", "nothing").Replace(strings.Join([]string{r.action, r.before, r.after}, "_"))
}

func rows() (all []row) {
	befores, afters := []string{"null", "empty", "value", "sensitive"}, []string{"null", "empty", "other", "unknown", "other sensitive"}
	for _, after := range afters {
		all = append(all, row{"create", "-", after})
	}
	for _, action := range []string{"update", "replace"} {
		for _, before := range befores {
			for _, after := range afters {
				all = append(all, row{action, before, after})
			}
		}
	}
	for _, before := range befores {
		all = append(all, row{"destroy", before, "-"})
	}
	return all
}

// body is the resource's content.
func (r row) body(value, kindIs string) string {
	if value == "-" {
		return value
	}
	var b strings.Builder
	if r.action == "replace" {
		fmt.Fprintf(&b, "kind = %q\n", kindIs)
	}
	for _, k := range kinds {
		b.WriteString(k.values[value] + "\n")
	}
	return b.String()
}

// drifts says that the resource of the row is also read with its other values, as if somebody had
// changed it.
func (r row) drifts() bool {
	return r.action == "update" && r.after != "unknown" && r.after != "other sensitive"
}

// configuration is a root module with the resources of all rows.
func configuration(version string, body func(row) string) string {
	var b strings.Builder
	b.WriteString("terraform {\n  required_providers {\n    built = { source = \"example.com/test/built\" }\n  }\n}\n")
	fmt.Fprintf(&b, unknown, version)
	for _, r := range rows() {
		if body := body(r); body != "-" {
			fmt.Fprintf(&b, "resource \"built_anything\" %q {\nname = %[1]q\n%s\n}\n", r.name(), body)
		}
	}
	return b.String()
}

// What is shown of each change, beside what Terraform itself prints of it: by the type of the
// attribute, and its value before and after. Run it with -update to write testdata/table.txt.
func TestEachChangeBesideWhatTerraformPrints(t *testing.T) {
	t.Parallel()
	w := newTable(t)
	// How the resources are read once somebody has changed them: as they are after an apply of the
	// other values.
	w.write("other/main.tf", configuration("new", func(r row) string {
		if !r.drifts() {
			return "-"
		}
		return r.body(r.after, "")
	}))
	w.terraform("other", "apply", "-auto-approve")
	var other struct {
		Values struct {
			Root struct {
				Resources []struct {
					Name, Type string
					Values     json.RawMessage
				} `json:"resources"`
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal([]byte(w.terraform("other", "show", "-json")), &other); err != nil {
		t.Fatal(err)
	}
	for _, r := range other.Values.Root.Resources {
		if r.Type == "built_anything" {
			w.write("drift/"+r.Name+".json", string(r.Values))
		}
	}

	w.write("main/main.tf", configuration("old", func(r row) string { return r.body(r.before, "x") }))
	w.terraform("main", "apply", "-auto-approve")
	known := w.environ
	w.environ = append(slices.Clone(known), "BUILT_DRIFT="+filepath.Join(w.dir, "drift"))
	outside, outsideShown := w.plan(changes.Limit{RefreshOnly: true}, "-refresh-only")
	w.environ = known
	w.write("main/main.tf", configuration("new", func(r row) string { return r.body(r.after, "y") }))
	changed, changedShown := w.plan(changes.Limit{})

	var table strings.Builder
	entry := func(title, key string, printed, shown map[string]string) {
		fmt.Fprintf(&table, "%s\n", title)
		for i, text := range []string{printed[key], shown[key]} {
			for line := range strings.Lines(text) {
				table.WriteString([]string{"\tTerraform │ ", "\tshown     │ "}[i] + line)
			}
		}
		if strings.Contains(shown[key], "secret-") || strings.Contains(shown[key], "777") {
			t.Errorf("%s: a secret is shown", title)
		}
		if lost := printed[key] != "" && shown[key] == ""; lost && !mayBeLeftOut.MatchString(title) {
			t.Errorf("%s: Terraform prints this, and it is not shown:\n%s", title, printed[key])
		}
	}
	for _, k := range kinds {
		for _, r := range rows() {
			entry(fmt.Sprintf("%s %s: %s → %s", r.action, k.name, r.before, r.after), r.name()+" "+k.name, changed, changedShown)
		}
		for _, r := range rows() {
			if r.drifts() {
				entry(fmt.Sprintf("outside %s: %s → %s", k.name, r.before, r.after), r.name()+" "+k.name, outside, outsideShown)
			}
		}
	}
	golden := "testdata/table.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(table.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	content, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	want, got := string(content), table.String()
	if !strings.Contains(w.terraform("main", "version"), "Terraform v1.11.") { // which may print them in other words
		want, got = printedLine.ReplaceAllString(want, ""), printedLine.ReplaceAllString(got, "")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var printedLine = regexp.MustCompile(`(?m)^\tTerraform .*\n`)

// mayBeLeftOut are the rows in which only empty values come or go, or null stands for one. Of the bool
// nothing changes but its mark: sensitive or not.
var mayBeLeftOut = regexp.MustCompile(`^(?:create \w+: - → empty|destroy \w+: empty → -|(?:replace|outside) \w+: (?:null → empty|empty → null)|(?:update|replace) bool: empty → other sensitive)$`)

// table is where Terraform runs.
type table struct {
	*testing.T
	dir     string
	environ []string
}

func newTable(t *testing.T) *table {
	t.Helper()
	w := &table{T: t, dir: t.TempDir()}
	w.write("terraformrc", fmt.Sprintf("provider_installation {\n  dev_overrides {\n    \"example.com/test/built\" = %q\n  }\n}\n", filepath.Join(w.dir, "bin")))
	if err := errors.Join(os.Mkdir(filepath.Join(w.dir, "bin"), 0o750), fakerunner.Provider(filepath.Join(w.dir, "bin"))); err != nil {
		t.Fatal(err)
	}
	w.environ = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(w.dir, "terraformrc"), "CHECKPOINT_DISABLE=1")
	return w
}

func (w *table) write(name, content string) {
	w.Helper()
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(content), 0o600)); err != nil {
		w.Fatal(err)
	}
}

func (w *table) terraform(dir string, args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "terraform", args...)
	cmd.Dir, cmd.Env = filepath.Join(w.dir, dir), w.environ
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		w.Fatalf("terraform %q: %v\n%s%s", args, err, out, stderr.Bytes())
	}
	return string(out)
}

// plan returns what Terraform prints, and what is shown, by resource and attribute.
func (w *table) plan(limit changes.Limit, args ...string) (printed, shown map[string]string) {
	w.Helper()
	text := w.terraform("main", append([]string{"plan", "-no-color", "-input=false", "-out=planfile"}, args...)...)
	limit.Bytes = 64 << 20
	plan, err := changes.ReadDrift(strings.NewReader(w.terraform("main", "show", "-json", "planfile")), limit)
	if err != nil {
		w.Fatal(err)
	}
	return attributes(text, printedHead, printedAttribute), attributes(string(planned.Text(plan, 64<<20)), shownHead, shownAttribute)
}

var (
	printedHead      = regexp.MustCompile(`^  # built_anything\.(\w+)(?:\[0\])? (?:will|must|has)`)
	shownHead        = regexp.MustCompile(`^[a-zA-Z: ]+ built_anything\.(\w+)`)
	printedAttribute = regexp.MustCompile(`^ {6}[-+~ ] (\w+) +[={]`)
	shownAttribute   = regexp.MustCompile(`^ {4}[-+~] (\w+)[^=]* =`)
	knownAfterApply  = regexp.MustCompile(`^ {4}\+ known after apply: (.*)`)
	unchanged        = regexp.MustCompile(`^ {6}  \w|^ *# \(\d+ unchanged`)
)

// attributes cuts a text into what it says about each attribute of each resource.
func attributes(text string, head, attribute *regexp.Regexp) map[string]string {
	all := map[string]string{}
	resource, name := "", ""
	for line := range strings.Lines(text) {
		if found := head.FindStringSubmatch(line); found != nil {
			resource, name = found[1], ""
			continue
		}
		if found := knownAfterApply.FindStringSubmatch(line); found != nil {
			for path := range strings.SplitSeq(found[1], ", ") {
				first, _, _ := strings.Cut(strings.ReplaceAll(path, "[", "."), ".")
				all[resource+" "+first] += "+ known after apply: " + path + "\n"
			}
			continue
		}
		if found := attribute.FindStringSubmatch(line); found != nil {
			name = found[1]
		}
		switch {
		case strings.HasPrefix(line, "    }"):
			name = ""
		case strings.TrimSpace(line) == "":
		case name != "" && !unchanged.MatchString(line):
			all[resource+" "+name] += strings.TrimPrefix(strings.TrimPrefix(line, "    "), "  ")
		}
	}
	return all
}
