package plugincache_test

import (
	"archive/zip"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/terraform-gitops/gitops/shared/terraform"
	"github.com/terraform-gitops/gitops/shared/terraform/internal/terraformtest"
	"github.com/terraform-gitops/gitops/shared/terraform/plugincache"
)

const (
	installing = "Installing provider version: example.com/acme/"
	fromCache  = "from the shared cache directory"
)

// providerMirror is a mirror of providers that can be installed, and not run. They are
// zip files, as those of the registry, so that Terraform unpacks each into the cache. It
// returns the CLI configuration that uses it.
func providerMirror(t *testing.T, names ...string) (dir, config string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		folder := filepath.Join(dir, "example.com", "acme", name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(folder, fmt.Sprintf("terraform-provider-%s_1.0.0_%s_%s.zip", name, runtime.GOOS, runtime.GOARCH)))
		if err != nil {
			t.Fatal(err)
		}
		archive := zip.NewWriter(f)
		header := &zip.FileHeader{Name: "terraform-provider-" + name + "_v1.0.0", Method: zip.Store}
		header.SetMode(0o755)
		w, err := archive.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		content := make([]byte, 8<<20) // takes a while to unpack
		_, _ = rand.Read(content)      // never fails
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(archive.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	return dir, fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", dir)
}

// needs is a root module that needs providers.
func needs(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		fmt.Fprintf(&b, "    %s = { source = \"example.com/acme/%[1]s\" }\n", name)
	}
	return "terraform {\n  required_providers {\n" + b.String() + "  }\n}\n"
}

// lockFor is the dependency lock file that Terraform makes for a root module.
func lockFor(t *testing.T, module, config string) string {
	t.Helper()
	c, _ := terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": module}), configVariable(t, config))
	terraformtest.Init(t, c)
	return terraformtest.ReadFile(t, filepath.Join(c.Dir, ".terraform.lock.hcl"))
}

func configVariable(t *testing.T, config string) string {
	t.Helper()
	dir := t.TempDir()
	terraformtest.WriteFiles(t, dir, map[string]string{"rc": config})
	return "TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "rc")
}

func newPluginCache(t *testing.T) (cache *plugincache.Cache, dir string) {
	t.Helper()
	dir = t.TempDir()
	cache, err := plugincache.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return cache, dir
}

// initWith runs an init that takes part in the cache.
func initWith(ctx context.Context, cache *plugincache.Cache, c *terraform.CLI) error {
	joined, leave, err := cache.Join(ctx, c, filepath.Join(c.Dir, "private"))
	if err != nil {
		return err
	}
	defer leave()
	_, err = os.Stat(filepath.Join(c.Dir, ".terraform.lock.hcl"))
	_, err = joined.Init(ctx, terraform.InitOptions{LockReadonly: err == nil})
	return err
}

func TestManyInitsOfAColdCacheInstallEachProviderOnce(t *testing.T) {
	t.Parallel()
	_, config := providerMirror(t, "stub", "other")
	env := configVariable(t, config)
	cache, temp := newPluginCache(t)
	modules := []string{needs("stub"), needs("stub", "other")}
	locks := []string{lockFor(t, modules[0], config), lockFor(t, modules[1], config)}
	var logs [20]*terraformtest.Log
	var all errgroup.Group
	all.SetLimit(8)
	for i := range logs {
		var c *terraform.CLI
		c, logs[i] = terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": modules[i%2], ".terraform.lock.hcl": locks[i%2]}), env)
		all.Go(func() error { return initWith(t.Context(), cache, c) })
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, l := range logs {
		text += l.String()
	}
	if n := strings.Count(text, installing); n != 2 {
		t.Errorf("%d installations of 2 providers", n)
	}
	if n := strings.Count(text, fromCache); n != 10+20-2 {
		t.Errorf("%d times a provider came from the cache", n)
	}
	if err := cache.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

var checksum = regexp.MustCompile(`"h1:[^"]*"`)

// A lock file that was made on another platform has no checksum of what is in the cache:
// each init would install the provider over what others run.
func TestACacheThatALockFileDoesNotTrustIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	mirror, config := providerMirror(t, "stub")
	lock := lockFor(t, needs("stub"), config)
	zips, err := filepath.Glob(filepath.Join(mirror, "*", "*", "*", "*.zip"))
	if err != nil || len(zips) != 1 {
		t.Fatal(zips, err)
	}
	foreign := checksum.ReplaceAllString(lock, fmt.Sprintf(`"zh:%x"`, sha256.Sum256([]byte(terraformtest.ReadFile(t, zips[0])))))
	for name, test := range map[string]struct {
		lock string
		own  bool
	}{
		"of another platform":                   {lock: foreign},
		"of another platform, the user's cache": {lock: foreign, own: true},
		"none":                                  {},
		"none, the user's cache":                {own: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := []string{configVariable(t, config)}
			cache, where := newPluginCache(t)
			if test.own {
				where = t.TempDir()
				env = append(env, "TF_PLUGIN_CACHE_DIR="+where)
			}
			first, _ := terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": needs("stub"), ".terraform.lock.hcl": lock}), env...)
			if err := initWith(t.Context(), cache, first); err != nil {
				t.Fatal(err)
			}
			before := modified(t, where)
			files := map[string]string{"main.tf": needs("stub")}
			if test.lock != "" {
				files[".terraform.lock.hcl"] = test.lock
			}
			for range 2 {
				c, log := terraformtest.New(t, terraformtest.RootModule(t, files), env...)
				if err := initWith(t.Context(), cache, c); err != nil {
					t.Fatal(err)
				}
				log.Has(t, installing)
			}
			if after := modified(t, where); after != before {
				t.Errorf("the cache was written to at %v, after %v", after, before)
			}
		})
	}
}

// modified is when the one provider in a cache was written.
func modified(t *testing.T, cache string) time.Time {
	t.Helper()
	var at time.Time
	err := filepath.Walk(cache, func(path string, info os.FileInfo, err error) error {
		if err == nil && strings.HasPrefix(info.Name(), "terraform-provider-") {
			at = info.ModTime()
		}
		return err
	})
	if err != nil || at.IsZero() {
		t.Fatal("no provider in the cache", err)
	}
	return at
}

func TestTheUsersOwnPluginCacheIsUsed(t *testing.T) {
	t.Parallel()
	_, config := providerMirror(t, "stub")
	lock := lockFor(t, needs("stub"), config)
	own := t.TempDir()
	for name, env := range map[string][]string{
		"environment":   {configVariable(t, config), "TF_PLUGIN_CACHE_DIR=" + own},
		"configuration": {configVariable(t, config+"plugin_cache_dir = \"$OWN\"\n"), "OWN=" + own},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: the second finds what the first has installed
			cache, temp := newPluginCache(t)
			for range 3 {
				c, _ := terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": needs("stub"), ".terraform.lock.hcl": lock}), env...)
				if err := initWith(t.Context(), cache, c); err != nil {
					t.Fatal(err)
				}
				link, err := os.Readlink(filepath.Join(c.Dir, ".terraform/providers/example.com/acme/stub/1.0.0", runtime.GOOS+"_"+runtime.GOARCH))
				if err != nil || !strings.HasPrefix(link, own) {
					t.Errorf("the provider is in %q (%v)", link, err)
				}
			}
			if err := cache.Close(); err != nil {
				t.Fatal(err)
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left in the temporary folder: %v, %v", left, err)
			}
		})
	}
	// The user says that what is in the cache is good, also without a lock file.
	cache, _ := newPluginCache(t)
	c, log := terraformtest.New(t, terraformtest.RootModule(t, map[string]string{"main.tf": needs("stub")}), configVariable(t, config), "TF_PLUGIN_CACHE_DIR="+own, "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1")
	if err := initWith(t.Context(), cache, c); err != nil {
		t.Fatal(err)
	}
	log.Has(t, fromCache)
}

func TestOnlyWhoFillsTheCacheWaits(t *testing.T) {
	t.Parallel()
	_, config := providerMirror(t, "stub", "other")
	env := configVariable(t, config)
	cache, _ := newPluginCache(t)
	module := func(lock string) *terraform.CLI {
		files := map[string]string{"main.tf": needs("stub")}
		if lock != "" {
			files[".terraform.lock.hcl"] = lock
		}
		c, _ := terraformtest.New(t, terraformtest.RootModule(t, files), env)
		return c
	}
	stub := lockFor(t, needs("stub"), config)
	for range 2 { // after the second one it is known that all is there
		if err := initWith(t.Context(), cache, module(stub)); err != nil {
			t.Fatal(err)
		}
	}
	joinWithin := func(ctx context.Context, lock string) (func(), error) {
		_, leave, err := cache.Join(ctx, module(lock), t.TempDir())
		return leave, err
	}
	join := func(lock string) (func(), error) { return joinWithin(t.Context(), lock) }
	other := lockFor(t, needs("other"), config)
	leave, err := join(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, lock := range map[string]string{"the cache has all": stub, "no lock file": ""} {
		if _, err := join(lock); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := joinWithin(ctx, other); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that has to wait did not: %v", err)
	}
	leave() // its init has failed: the next one fills the cache
	if _, err := join(other); err != nil {
		t.Error(err)
	}
}
