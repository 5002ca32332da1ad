package main

import (
	"cmp"
	"os"

	goversion "github.com/hashicorp/go-version"
)

// versionVariable sets the version that this program imitates and prints; the default is 1.196.0.
// From 1.227.0 on, and for a name that is no version, as of builds from source, it behaves like
// 1.227.
const versionVariable = "STAND_IN_ATMOS"

const (
	oldest = "1.196.0"
	newest = "1.227.0"
)

// version is what this program calls itself.
func version() string { return cmp.Or(os.Getenv(versionVariable), oldest) }

// modern reports whether the program behaves like 1.227.
func modern() bool {
	v, err := goversion.NewVersion(version())
	return err != nil || v.Core().GreaterThanOrEqual(goversion.Must(goversion.NewVersion(newest))) || v.Core().LessThan(goversion.Must(goversion.NewVersion("1.0.0")))
}
