package awsauth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// HideDefaultProfile hides the default profile in the machine's shared AWS files from a process
// that should use an [Endpoint]: SDKs ask the endpoint only if that profile has no credentials
// (https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html). Other
// profiles stay, since a provider may name one.
//
// variable returns a variable of the process' environment, and workDir is the folder in which it
// runs. A file with a default profile is copied without it into dir, which is private. The
// result is the variables that name the copies.
func HideDefaultProfile(variable func(name string) string, workDir, dir string) (map[string]string, error) {
	hidden := map[string]string{}
	for name, file := range map[string]string{"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "credentials"} {
		from := variable(name)
		if from == "" {
			from = filepath.Join(variable("HOME"), ".aws", file)
		}
		if !filepath.IsAbs(from) {
			from = filepath.Join(workDir, from)
		}
		content, err := os.ReadFile(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, problem.With(problem.AWSCredentials, fmt.Errorf("look for a default profile, which would be used in place of the role: %w", err))
		}
		rest, had := withoutDefaultProfile(content)
		if !had {
			continue
		}
		hidden[name] = filepath.Join(dir, "aws-"+file)
		if err := os.WriteFile(hidden[name], rest, 0o600); err != nil {
			return nil, problem.With(problem.AWSCredentials, fmt.Errorf("hide the default profile, which would be used in place of the role: %w", err))
		}
	}
	return hidden, nil
}

var (
	section        = regexp.MustCompile(`^\s*\[[^#;]*\]\s*([#;]|$)`)
	defaultProfile = regexp.MustCompile(`(?i)^\s*\[\s*(profile\s+)?"?default"?\s*\]`)
)

// withoutDefaultProfile removes the sections of the default profile.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
func withoutDefaultProfile(content []byte) (rest []byte, had bool) {
	hide := false
	for line := range bytes.Lines(content) {
		if section.Match(line) {
			hide = defaultProfile.Match(line)
			had = had || hide
		}
		if !hide {
			rest = append(rest, line...)
		}
	}
	return rest, had
}
