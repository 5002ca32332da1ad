package fingerprint

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// varFilesIn are the files that an environment (NAME=VALUE) gives to Terraform for a plan: by
// -var-file or -backend-config in TF_CLI_ARGS, TF_CLI_ARGS_init or TF_CLI_ARGS_plan. A path
// is as written there: absolute, or relative to the root module's folder.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
func varFilesIn(environ []string) (files []string) {
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if name != "TF_CLI_ARGS" && name != "TF_CLI_ARGS_init" && name != "TF_CLI_ARGS_plan" {
			continue
		}
		words := shellWords(value)
		for i, word := range words {
			flag, file, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if !strings.HasPrefix(word, "-") || flag != "var-file" && flag != "backend-config" {
				continue
			}
			if !given && i+1 < len(words) {
				file = words[i+1]
			}
			if file != "" && (flag == "var-file" || inventory.IsBackendFile(file)) {
				files = append(files, file)
			}
		}
	}
	return files
}

// shellWords splits a line at spaces, and knows quotes and backslashes, as a shell does.
func shellWords(line string) (words []string) {
	var word strings.Builder
	started, quoted := false, rune(0)
	escaped := false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quoted != '\'':
			escaped, started = true, true
		case quoted != 0 && c == quoted:
			quoted = 0
		case quoted != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quoted, started = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if started {
				words = append(words, word.String())
				word.Reset()
			}
			started = false
		default:
			word.WriteRune(c)
			started = true
		}
	}
	if started {
		words = append(words, word.String())
	}
	return words
}

// environOf is what a target adds to Terraform's environment, sorted.
func environOf(t inventory.Target) (all []string) {
	for _, name := range slices.Sorted(maps.Keys(t.Env)) {
		all = append(all, name+"="+t.Env[name])
	}
	if t.Atmos != nil {
		for _, name := range slices.Sorted(maps.Keys(t.Atmos.Env)) {
			all = append(all, fmt.Sprintf("%s=%v", name, t.Atmos.Env[name]))
		}
	}
	return all
}

// fileInCheckout is the path, relative to the checkout, of a file on Terraform's command line;
// false if it is outside.
func fileInCheckout(t inventory.Target, co checkout.Tree, file string) (string, bool) {
	if !path.IsAbs(file) {
		file = path.Join(t.Dir, file)
	}
	name, err := co.Name(file)
	return name, err == nil
}

// mostSearched is the size of the largest var file, in bytes, in which paths are looked for.
const mostSearched = 1 << 20

// addStrings adds the files and folders that the values of the target's variables and its
// environment name. It returns those that may be in the root module's folder, relative to it.
func (m *counted) addStrings(t inventory.Target, root *rootFiles) (pathSet, error) {
	for _, file := range varFilesIn(environOf(t)) {
		if name, ok := fileInCheckout(t, m.Tree, file); ok {
			if err := m.addNamed(name); err != nil && !checkout.IsMissing(err) {
				return nil, err
			}
		}
	}
	texts := new(references.Reads)
	for _, entry := range environOf(t) {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "TF_CLI_ARGS") {
			continue
		}
		texts.Text("the variable "+name, value)
	}
	if t.Atmos != nil {
		for _, name := range slices.Sorted(maps.Keys(t.Atmos.Vars)) {
			texts.Text("the variable "+name, string(t.Atmos.Vars[name]))
		}
	}
	for _, name := range loadedBy(t, root) {
		content, err := m.ReadFile(name, mostSearched)
		if err != nil {
			continue // it counts as a file in any case
		}
		text := string(content)
		if root.root == "." || strings.Contains(text, "./") {
			texts.Text(problem.Quote(name), text)
		}
		for _, left := range root.left {
			if base := path.Base(left); strings.Contains(text, base) {
				texts.Text(problem.Quote(name), checkout.RelativeTo(root.root, left))
			}
		}
	}
	words := make(pathSet)
	maps.Copy(words, texts.Words)
	for _, p := range texts.Paths {
		if rel, inside := within(root.root, root.root, p.Path); inside {
			words[rel] = true
			continue
		}
		found, err := m.outside(root.root, outwardPath{root.root, p.Path, p.Where}, root.root, t.Atmos != nil)
		if err != nil {
			return nil, err
		}
		maps.Copy(m.sums, found.sums)
		maps.Copy(m.lacks, found.lacks)
	}
	return words, nil
}

// loadedBy are the var files that Terraform loads for a target.
func loadedBy(t inventory.Target, root *rootFiles) []string {
	return slices.Concat(t.VarFiles, root.loaded)
}
