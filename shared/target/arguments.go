package target

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// VarFilesIn are the files that the environment (NAME=VALUE) gives to Terraform when it
// plans, by -var-file or -backend-config in TF_CLI_ARGS, TF_CLI_ARGS_init or
// TF_CLI_ARGS_plan, as they are written there: absolute, or relative to the root module's
// folder.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_cli_args-and-tf_cli_args_name
func VarFilesIn(environ []string) (files []string) {
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
			if file != "" && (flag == "var-file" || isBackendFile(file)) {
				files = append(files, file)
			}
		}
	}
	return files
}

// shellWords splits as a shell does, without what a shell would run.
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

// environ is what the target adds to Terraform's environment, sorted.
func (t Target) environ() (all []string) {
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

// inCheckout is a file as it is named on Terraform's command line; false when it lies
// elsewhere.
func (t Target) inCheckout(co checkout, file string) (string, bool) {
	if !path.IsAbs(file) {
		file = path.Join(t.Dir, file)
	}
	name, err := co.name(file)
	return name, err == nil
}

// addStrings adds what the values of the target's variables and of its environment name:
// files, or all in a folder. It returns those that may be in the root module's folder, as
// they are called there.
func (m *moduleTree) addStrings(t Target, root *rootFiles) (pathSet, error) {
	for _, file := range VarFilesIn(t.environ()) {
		if name, ok := t.inCheckout(m.checkout, file); ok {
			if err := m.addNamed(name); err != nil && !isMissing(err) {
				return nil, err
			}
		}
	}
	texts := new(moduleReads)
	for _, entry := range t.environ() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "TF_CLI_ARGS") {
			continue
		}
		texts.file = "the variable " + name
		texts.text(value)
	}
	if t.Atmos != nil {
		for _, name := range slices.Sorted(maps.Keys(t.Atmos.Vars)) {
			texts.text(string(t.Atmos.Vars[name]))
		}
	}
	for _, name := range t.loaded(root) {
		content, err := m.readFile(name, maxFileBytes)
		if err != nil {
			continue // it is counted all the same
		}
		text := string(content)
		if root.root == "." || strings.Contains(text, "./") {
			texts.text(text)
		}
		for _, left := range root.left {
			if base := path.Base(left); strings.Contains(text, base) {
				texts.text(relativeTo(root.root, left))
			}
		}
	}
	words := make(pathSet)
	maps.Copy(words, texts.words)
	for _, p := range texts.paths {
		if rel, inside := within(root.root, root.root, p.path); inside {
			words[rel] = true
			continue
		}
		found, err := m.outside(root.root, outwardPath{root.root, p.path, p.where}, root.root, t.Atmos != nil)
		if err != nil {
			return nil, err
		}
		maps.Copy(m.sums, found.sums)
		maps.Copy(m.lacks, found.lacks)
	}
	return words, nil
}

// loaded are the var files that Terraform loads for the target.
func (t Target) loaded(root *rootFiles) []string {
	return slices.Concat(t.VarFiles, root.loaded)
}

// text keeps the paths in a text that is no expression.
func (r *moduleReads) text(value string) {
	if r.words == nil {
		r.words = make(map[string]bool)
	}
	r.keepText(parts{{text: value}}, nil)
}
