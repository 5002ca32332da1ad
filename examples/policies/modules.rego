# Each module is pinned, so that the same commit is the same configuration tomorrow: a version from a
# registry, a tag or a commit from Git. Modules of the same repository need none.
package main

deny_modules contains msg if {
	some call in module_calls
	not is_local(call.source)
	not is_pinned(call)
	msg := sprintf("module %s is not pinned: its source is %s%s", [call.name, call.source, version_text(call)])
}

# The configuration of a module is in its call, at any depth.
module_calls contains object.union(call, {"name": name}) if {
	walk(input.configuration, [path, call])
	count(path) > 1
	path[count(path) - 2] == "module_calls"
	name := path[count(path) - 1]
	is_string(call.source)
}

is_local(source) if startswith(source, "./")

is_local(source) if startswith(source, "../")

is_git(source) if startswith(source, "git::")

is_git(source) if startswith(source, "git@")

is_git(source) if regex.match(`^(github\.com|bitbucket\.org)/`, source)

# A tag such as v1.2.3, or a commit. A branch moves.
is_pinned(call) if {
	is_git(call.source)
	regex.match(`[?&]ref=(v?\d+\.\d+\.\d+([.+-][\w.+-]*)?|[0-9a-f]{40})(&|$)`, call.source)
}

# From a registry: exactly one version.
is_pinned(call) if {
	not is_git(call.source)
	not contains(call.source, "::")
	not contains(call.source, "://")
	regex.match(`^\s*=?\s*v?\d+\.\d+\.\d+([.+-][\w.+-]*)?\s*$`, call.version_constraint)
}

version_text(call) := sprintf(", and its version %s", [call.version_constraint])

version_text(call) := "" if not call.version_constraint
