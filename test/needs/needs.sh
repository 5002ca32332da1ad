#!/usr/bin/env bash
# usage: needs.sh TOOLS MOTO    (make needs)
#
# Sets up the programs that the tests run and Go does not bring: Terraform, Chromium and
# moto_server. What is missing and cannot be installed is said first, all of it, each with
# the command to type. This is a script because it runs before Go is known to be there.
set -euo pipefail
tools=$1 moto=$2

say() { printf 'make needs: %s\n' "$*" >&2; }
has() { command -v "$1" >/dev/null 2>&1; }

root=
as_root='sudo ' # how to become root, for a person to type
if [ "$(id -u)" = 0 ]; then
	root=yes as_root=
elif has sudo && sudo -n true 2>/dev/null; then
	root=yes
fi
ubuntu() { [ -r /etc/os-release ] && grep -qE '^ID="?ubuntu"?$' /etc/os-release; }

# command_for DEBIAN HOMEBREW OTHERWISE: what to type.
command_for() {
	if has apt-get; then
		echo "type: ${as_root}apt-get install $1"
	elif [ "$(uname -s)" = Darwin ]; then
		echo "type: $2"
	else
		echo "$3"
	fi
}

failed=
lacks() {
	say "$1 $2"
	failed=yes
}
end() {
	[ -z "$failed" ] || exit 1
}

# What is not installed here.
has git || lacks "git is missing:" "$(command_for git 'brew install git' 'install Git')"
has ssh || lacks "ssh is missing:" "$(command_for openssh-client 'brew install openssh' 'install OpenSSH')"
has go || lacks "go is missing:" "$(command_for golang-go 'brew install go' 'install Go'), or take it from https://go.dev/dl"
has aws || lacks "aws is missing:" "$(command_for awscli 'brew install awscli' 'install the AWS CLI')"
has cc || lacks "cc is missing, which Go's race detector needs:" "$(command_for gcc 'xcode-select --install' 'install a C compiler')"
node=$(command_for npm 'brew install node' 'install Node.js 20 or newer, with npm')
if ! has node || ! has npm; then
	lacks "npm is missing (Node.js 20 or newer):" "$node"
elif version=$(node --version) && [[ ! $version =~ ^v(2[0-9]|[3-9][0-9]|[0-9]{3,})\. ]]; then
	lacks "npm is of Node.js $version, and 20 or newer is needed:" "type: ${as_root}npx --yes n 20"
fi
if has moto_server; then
	moto=
elif ! has python3; then
	lacks "python3 is missing, for moto_server:" "$(command_for python3-venv 'brew install python' 'install Python 3')"
elif ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
	lacks "python3 has no venv, for moto_server:" "$(command_for python3-venv 'brew install python' 'install the venv of Python 3')"
fi

# The names are those that test/render looks for.
browser() {
	local name
	for name in chromium chromium-browser google-chrome \
		'/Applications/Chromium.app/Contents/MacOS/Chromium' '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
		if has "$name"; then return; fi
	done
	return 1
}
package=chromium
if ubuntu; then package=chromium-browser; fi
chromium=$(command_for "$package" 'brew install --cask google-chrome' 'install Chromium')
install=
if ! browser; then
	if has apt-get && [ -n "$root" ]; then
		install=apt
	elif [ "$(uname -s)" = Darwin ] && has brew; then
		install=brew
	else
		lacks "chromium is missing:" "$chromium"
	fi
fi
end

# What is.
apt() {
	if [ -n "$as_root" ]; then set -- sudo -n "$@"; fi
	"$@" >&2
}
case $install in
apt)
	say "installing Chromium: ${as_root}apt-get install $package"
	apt apt-get -qq -o DPkg::Lock::Timeout=600 update || true # the list that is there may do
	apt env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "$package" || true
	;;
brew)
	say "installing Chrome: brew install --cask google-chrome"
	brew install --cask google-chrome >&2 || true
	;;
esac
browser || lacks "chromium could not be installed:" "see above, or $chromium"

if [ -n "$moto" ]; then
	say "installing $moto, by pip, into $tools/moto"
	if ! { python3 -m venv "$tools/moto" && "$tools/moto/bin/pip" install --quiet "$moto"; } >&2; then
		lacks "moto_server could not be installed:" "see above, or type: pip install '$moto'"
	fi
fi

mkdir -p "$tools"
go run ./test/needs/terraform "$tools" || failed=yes # it has said why
end
