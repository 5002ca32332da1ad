package main

import (
	"cmp"
	"os"

	goversion "github.com/hashicorp/go-version"
)

// versionVariable chooses the version that this program plays, and calls itself by:
// 1.196.0 where it is not set. From 1.227.0 on, and under a name that is no version, as
// builds from source have, it does as 1.227 does.
const versionVariable = "STAND_IN_ATMOS"

const (
	oldest = "1.196.0"
	newest = "1.227.0"
)

// version is what this program calls itself.
func version() string { return cmp.Or(os.Getenv(versionVariable), oldest) }

// modern says that the version is one that does as 1.227.
func modern() bool {
	v, err := goversion.NewVersion(version())
	return err != nil || v.Core().GreaterThanOrEqual(goversion.Must(goversion.NewVersion(newest))) || v.Core().LessThan(goversion.Must(goversion.NewVersion("1.0.0")))
}
