package plugincache

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/terraform-gitops/gitops/shared/envlist"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// ownCache is the plugin cache that the user has configured; dir is empty if there is none.
type ownCache struct {
	dir string
	// mayBreak says that Terraform uses the cache without comparing it with the dependency
	// lock file, and also if there is no lock file.
	mayBreak bool
}

var (
	cacheDirSetting = regexp.MustCompile(`(?m)^\s*"?plugin_cache_dir"?\s*[=:]\s*"([^"]+)"`)
	mayBreakSetting = regexp.MustCompile(`(?m)^\s*"?plugin_cache_may_break_dependency_lock_file"?\s*[=:]\s*"?true`)
)

// userCache finds the user's plugin cache in the environment or, if it is not set there, in
// the CLI configuration.
// https://developer.hashicorp.com/terraform/cli/config/environment-variables#tf_plugin_cache_dir
func userCache(c *terraform.CLI) ownCache {
	lookup := func(name string) string { return envlist.Value(c.Env, name) }
	own := ownCache{dir: lookup(pluginCacheVariable), mayBreak: lookup("TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE") != ""}
	for _, file := range configFiles(c.Env) {
		config, err := os.ReadFile(file)
		if err != nil {
			continue // if something is wrong with it, Terraform says so
		}
		if match := cacheDirSetting.FindSubmatch(config); match != nil && own.dir == "" {
			own.dir = os.Expand(string(match[1]), lookup)
		}
		own.mayBreak = own.mayBreak || mayBreakSetting.Match(config)
	}
	if own.dir == "" {
		return ownCache{}
	}
	if !filepath.IsAbs(own.dir) { // as Terraform resolves it, which runs there
		own.dir = filepath.Join(c.Dir, own.dir)
	}
	return own
}

// configFiles lists the files that may hold the CLI configuration.
// https://developer.hashicorp.com/terraform/cli/config/config-file#locations
// https://opentofu.org/docs/cli/config/config-file/#locations
func configFiles(environ []string) []string {
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TERRAFORM_CONFIG"} {
		if file := envlist.Value(environ, name); file != "" {
			return []string{file}
		}
	}
	home := envlist.Value(environ, "HOME")
	files := []string{filepath.Join(home, ".tofurc"), filepath.Join(home, ".terraformrc")}
	if xdg := envlist.Value(environ, "XDG_CONFIG_HOME"); xdg != "" {
		files = append(files, filepath.Join(xdg, "opentofu", "tofurc"))
	}
	more, _ := filepath.Glob(filepath.Join(home, ".terraform.d", "*.tfrc")) // the pattern is valid
	return append(files, more...)
}

// lockedProvider is a provider in a dependency lock file.
// https://developer.hashicorp.com/terraform/language/files/dependency-lock
type lockedProvider struct {
	source, version string
	hashes          []string
}

// folder is the provider's path in a cache.
func (p lockedProvider) folder() string {
	return filepath.Join(filepath.FromSlash(p.source), p.version, runtime.GOOS+"_"+runtime.GOARCH)
}

// lockedProviders reads a dependency lock file; nil if it names no provider. Terraform
// refuses a file that is not valid. It reads tokens, since HCL's parser recurses.
func lockedProviders(lock []byte) (all []lockedProvider) {
	tokens, _ := hclsyntax.LexConfig(lock, "", hcl.InitialPos)
	word := "" // the last one outside of quotes
	for _, token := range tokens {
		text := string(token.Bytes)
		switch last := len(all) - 1; {
		case token.Type == hclsyntax.TokenIdent:
			word = text
		case token.Type != hclsyntax.TokenQuotedLit:
		case word == "provider":
			all = append(all, lockedProvider{source: text})
		case last >= 0 && word == "version":
			all[last].version = text
		case last >= 0 && word == "hashes":
			all[last].hashes = append(all[last].hashes, text)
		}
	}
	return all
}
