package workspace

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOnlySensitiveVariablesOfTheEnvironmentAreSecrets(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"main.tf":      "variable \"key\" {\n  sensitive = true\n}\nvariable \"region\" {}\nvariable \"object\" {\n  sensitive = true\n}\nvariable \"list\" {\n  sensitive = true\n}\n",
		"more.tf.json": `{"variable": {"json": {"sensitive": true}}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := secrets([]string{
		"TF_VAR_key=of the job", "TF_VAR_key=k=e=y", "TF_VAR_region=us-east-2", "TF_VAR_unknown=x", "KEY=other", "TF_VAR_json=in json",
		`TF_VAR_object={user = "admin", "pass\"word": "s\"3cret", pin = 123456}`,
		`TF_VAR_list=["one", {"two": "a\/b"}]`,
	}, dir)
	slices.Sort(got)
	want := []string{
		`{user = "admin", "pass\"word": "s\"3cret", pin = 123456}`, "admin", `s"3cret`, "123456",
		`["one", {"two": "a\/b"}]`, "one", "a/b", "of the job", "k=e=y", "in json",
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestKeysOfEncryptionAreSecrets(t *testing.T) {
	t.Parallel()
	got := secrets([]string{`TF_ENCRYPTION=key_provider "pbkdf2" "k" { passphrase = "long \"enough\" phrase" }`}, t.TempDir())
	want := []string{`key_provider "pbkdf2" "k" { passphrase = "long \"enough\" phrase" }`, `long "enough" phrase`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
