package fakerunner

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"html"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// credential is a secret in every story, in the environment as TF_VAR_credential. With
// credentialModule it is in the planfiles and the state of every story's component network; it
// must be nowhere else.
const (
	credential       = "cr3d \"ential\" \\ <&> é\nand its second line/+"
	credentialModule = `variable "credential" {
  sensitive = true
}
output "credential" {
  value     = var.credential
  sensitive = true
}
`
)

// storySecrets are the story's secrets: environment variables in the lines of secrets.txt, as
// NAME=VALUE. VALUE is a JSON string without its quotes, so that a secret can have several lines.
func storySecrets(ts *testscript.TestScript) map[string]string {
	secrets := map[string]string{"TF_VAR_credential": credential}
	list, err := os.ReadFile(ts.MkAbs("secrets.txt"))
	if err != nil {
		return secrets // the story has no other
	}
	for line := range strings.Lines(string(list)) {
		name, quoted, _ := strings.Cut(strings.TrimSpace(line), "=")
		var secret string
		ts.Check(json.Unmarshal([]byte(`"`+quoted+`"`), &secret))
		secrets[name] = secret
	}
	return secrets
}

// checkLeaks looks for the story's secrets, and the job's token, in everything that the steps
// wrote so far, except planfiles and states: logs, summaries, outputs, comments, commit statuses,
// events, the plan store's items and the names of its objects, and other files in the runner's
// folders. A story's own files with secrets belong into the folders state and private.
func checkLeaks(ts *testscript.TestScript, s *story, log string) {
	s.logs.WriteString(log)
	var forms []string
	for _, token := range s.tokens {
		forms = append(forms, formsOf(token)...)
	}
	for _, secret := range storySecrets(ts) {
		forms = append(forms, formsOf(secret)...)
	}
	if s.account != nil {
		for _, secret := range s.account.known() {
			forms = append(forms, formsOf(secret)...)
		}
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
	for _, status := range s.github.Repository(repository).Statuses() {
		look("a commit status", []byte(status.Description+"\n"+status.URL))
	}
	for _, sent := range s.github.Repository(repository).Dispatches() {
		for name, value := range sent.Inputs {
			look("the input "+name+" of a workflow", []byte(value))
		}
	}
	for where, text := range s.issueTexts() {
		look(where, []byte(text))
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
		case e.IsDir() && name == providerMirror:
			return fs.SkipDir // 60 MB of the test's own, which would take longer than most actions
		case e.IsDir() && strings.HasPrefix(e.Name(), "gitops-kept-"):
			return fs.SkipDir // the planfile and its JSON, as the workflow asked
		case !e.Type().IsRegular(), name == "secrets.txt", strings.HasSuffix(name, ".tfplan"), strings.HasSuffix(name, ".tfstate"):
			return nil
		case strings.HasPrefix(name, "workspace") && (strings.HasSuffix(name, ".tf") || strings.HasSuffix(name, ".tfvars")):
			return nil
		}
		content, err := os.ReadFile(path)
		look(name, content)
		return err
	}))
	if s.account != nil {
		shown, err := s.account.shown(context.Background())
		ts.Check(err)
		look("the bucket or table", shown)
	}
	// The commands that tell the runner what to mask contain the secrets.
	look("the log", maskCommand.ReplaceAll(s.logs.Bytes(), nil))
}

var maskCommand = regexp.MustCompile(`(?m)^::add-mask::.*$`)

// formsOf lists the encodings in which programs write a secret.
func formsOf(secret string) []string {
	quoted, _ := json.Marshal(secret)
	again, _ := json.Marshal(string(quoted[1 : len(quoted)-1]))
	unescaped := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoted))
	forms := []string{
		secret, string(quoted[1 : len(quoted)-1]), string(again[1 : len(again)-1]), unescaped[1 : len(unescaped)-1],
		html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret),
	}
	for line := range strings.Lines(secret) {
		if line = strings.TrimRight(line, "\n"); len(line) >= 8 {
			forms = append(forms, line)
		}
	}
	// In base64, at each of the three offsets: the characters that do not depend on what is
	// around the secret.
	for offset := range 3 {
		padded := append(bytes.Repeat([]byte{0}, offset), secret...)
		encoded := base64.RawStdEncoding.EncodeToString(padded[:len(padded)/3*3])
		forms = append(forms, encoded[(offset*8+5)/6:])
	}
	return forms
}
