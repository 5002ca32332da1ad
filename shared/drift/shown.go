package drift

// Shown is the digest of what an issue's body shows between our limits: as long as it is
// [Link.Shown] of the target's link, nobody has edited it since a
// detection wrote it.
func Shown(body string) string { return fingerprint(sectionOf(body)) }
