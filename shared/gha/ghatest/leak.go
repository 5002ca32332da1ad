package ghatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// storySecrets are the story's secrets: environment variables, one a line of
// secrets.txt, NAME=VALUE, where VALUE is a JSON string without its quotes, so
// that a secret can have several lines.
func storySecrets(ts *testscript.TestScript) map[string]string {
	list, err := os.ReadFile(ts.MkAbs("secrets.txt"))
	if err != nil {
		return nil // the story has none
	}
	secrets := map[string]string{}
	for line := range strings.Lines(string(list)) {
		name, quoted, _ := strings.Cut(strings.TrimSpace(line), "=")
		var secret string
		ts.Check(json.Unmarshal([]byte(`"`+quoted+`"`), &secret))
		secrets[name] = secret
	}
	return secrets
}

// checkLeaks looks for the story's secrets, and the job's token, in everything that a step leaves but
// planfiles and states: the log, the summary, outputs, comments, the plan
// store's items and the names of its objects, and whatever else lies in the
// runner's folders.
func checkLeaks(ts *testscript.TestScript, s *story) {
	forms := formsOf(s.github.Token())
	for _, secret := range storySecrets(ts) {
		forms = append(forms, formsOf(secret)...)
	}
	look := func(where string, content []byte) {
		for _, form := range forms {
			if bytes.Contains(content, []byte(form)) {
				ts.Fatalf("%s holds a secret, as %q", where, form)
			}
		}
	}
	for n := range s.pulls {
		for _, comment := range s.github.Repository(repository).Comments(n) {
			look("a comment", []byte(comment.Body))
		}
	}
	ts.Check(filepath.WalkDir(s.runner.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(s.runner.Dir, path)
		if err != nil {
			return err
		}
		look("the name "+name, []byte(name))
		switch {
		case e.IsDir() && (e.Name() == ".git" || e.Name() == "state" || e.Name() == "private"):
			return fs.SkipDir // what the repository and Terraform themselves hold
		case !e.Type().IsRegular(), name == "secrets.txt", strings.HasSuffix(name, ".tfplan"), strings.HasSuffix(name, ".tfstate"):
			return nil
		case strings.HasPrefix(name, "workspace") && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tfvars")):
			return nil
		}
		content, err := os.ReadFile(path)
		look(name, content)
		return err
	}))
	look("the log", []byte(ts.ReadFile("stdout")+ts.ReadFile("stderr")))
}

// formsOf are the ways in which a secret is written by programs around it.
func formsOf(secret string) []string {
	quoted, _ := json.Marshal(secret)
	forms := []string{secret, string(quoted[1 : len(quoted)-1])}
	for line := range strings.Lines(secret) {
		if line = strings.TrimRight(line, "\n"); len(line) >= 8 {
			forms = append(forms, line)
		}
	}
	// Of base64 at each of the three offsets, the part that is the secret's alone.
	for offset := range 3 {
		padded := append(bytes.Repeat([]byte{0}, offset), secret...)
		encoded := base64.RawStdEncoding.EncodeToString(padded[:len(padded)/3*3])
		forms = append(forms, encoded[(offset*8+5)/6:])
	}
	return forms
}
