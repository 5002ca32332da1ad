package atmos

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Find looks for atmos.yaml where Atmos itself looks if it runs in root: in config (a file or a
// folder, relative to root), or else in ATMOS_CLI_CONFIG_PATH, in ATMOS_BASE_PATH, in root.
// add is what the environment of Atmos needs besides. found is false if there is no
// atmos.yaml: then the repository does not use Atmos. If config is given, it must be there.
// https://atmos.tools/cli/configuration/
func Find(root, config string, environ []string) (add map[string]string, found bool, err error) {
	if config != "" {
		dir, err := configFolder(absolute(root, config))
		if err != nil {
			return nil, false, problem.With(problem.Atmos, fmt.Errorf("input `atmos-config-path` is %q: %w: give atmos.yaml, or its folder", config, err))
		}
		return map[string]string{"ATMOS_CLI_CONFIG_PATH": dir}, true, nil
	}
	for _, name := range []string{"ATMOS_CLI_CONFIG_PATH", "ATMOS_BASE_PATH", ""} {
		dir := root
		if name != "" {
			value := envlist.Value(environ, name)
			if value == "" {
				continue
			}
			dir = absolute(root, value)
		}
		if dir, err := configFolder(dir); err == nil {
			if dir == root {
				return nil, true, nil
			}
			return map[string]string{"ATMOS_CLI_CONFIG_PATH": dir}, true, nil
		}
	}
	return nil, false, nil
}

var configFiles = []string{"atmos.yaml", "atmos.yml", ".atmos.yaml", ".atmos.yml"}

// configFolder is the folder with atmos.yaml: path, or the folder of the file at path. Atmos
// gets the folder, so it would not read a file with another name.
func configFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", checkout.Cause(err)
	}
	if !info.IsDir() && slices.Contains(configFiles, filepath.Base(path)) {
		return filepath.Dir(path), nil
	}
	for _, name := range configFiles {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w in it: atmos.yaml", fs.ErrNotExist)
}

func absolute(root, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(root, path)
}
