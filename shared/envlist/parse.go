package envlist

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// variableName is narrower than what an operating system accepts, so that a line of a secret is
// hardly ever taken for a name. Hosts (TF_TOKEN_) and Terraform's variables have hyphens.
var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// Parse reads variables in the form of the file GITHUB_ENV: lines NAME=VALUE; or, for a value of
// several lines, NAME<<DELIMITER, the lines, and a line DELIMITER. An error has the number of a line,
// and nothing of its text, which may be a secret.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
func Parse(text string) (environ []string, err error) {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if strings.TrimSpace(lines[i]) == "" {
			continue
		}
		name, value, ok := strings.Cut(lines[i], "=")
		if before, delimiter, several := strings.Cut(lines[i], "<<"); several && variableName.MatchString(before) {
			first := i + 1
			for i = first; i < len(lines) && lines[i] != delimiter; i++ {
			}
			if i == len(lines) || delimiter == "" {
				return nil, fmt.Errorf("line %d begins a value of several lines, and no line ends it: write NAME<<EOF, the lines of the value, and EOF", first)
			}
			name, value, ok = before, strings.Join(lines[first:i], "\n"), true
		}
		// The next lines of such a key could pass for names: 'MIIEow==' has the form of a variable.
		key := strings.HasPrefix(value, "-----BEGIN ") && !strings.Contains(value, "-----END ")
		if !ok || key || !variableName.MatchString(name) {
			return nil, fmt.Errorf("line %d is not NAME=VALUE: write a value of several lines as NAME<<EOF, its lines, and EOF", i+1)
		}
		if strings.ContainsRune(value, 0) {
			return nil, errors.New("a value has a NUL byte, which no environment variable can have")
		}
		environ = append(environ, name+"="+value)
	}
	return environ, nil
}
