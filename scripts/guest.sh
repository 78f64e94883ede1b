# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What scripts/vm and scripts/uml share: building for a kernel, the guest's
# root file system, and the reading of its kernel log. Sourced, not run.

# Exit statuses of our own, beside those of COMMAND.
export STATUS_USAGE=64 STATUS_LOG=70 STATUS_DIED=71 STATUS_TIMEOUT=124

# The caller sets work, a directory that it removes at its end.
: "${work=}"

self=${0##*/}
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd -P)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/paxos
unset MAKEFLAGS MAKELEVEL MFLAGS
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH

say() { echo "$self: $*" >&2; }
# What scripts/check and CI repeat at their end, where a cut log still has it.
failed() { echo "# failed: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { say "$*"; exit "$STATUS_USAGE"; }

# Commands of the host that the guest has; busybox supplies what is not here.
guest_commands=(
	bash ip tc ss bridge nft ping kmod
	dmsetup losetup mount mountpoint umount blockdev mke2fs e2fsck debugfs fsfreeze
	unshare nsenter setpriv setsid flock ps pgrep pkill gawk tar grep sed
	cat cmp cp cut date dd diff env find head ls mktemp od paste seq
	script sha256sum sleep sort stat sync tail tee timeout tr truncate uniq wc xargs
)

# What build/ holds for tests that run on the host alone, for find -regex.
host_only='bench-etcd\|mutants\|core\|fuzz\|sim\|agent\|linearizability'

# begin_guest: make $work, which goes away with the script, as do the processes
# in pids.
pids=()
begin_guest() {
	work=$(mktemp -d "${TMPDIR:-/tmp}/paxos-guest.XXXXXX")
	trap 'finish 2>/dev/null' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
}

# shellcheck disable=SC2317 # called by the trap
finish() {
	trap - EXIT INT TERM HUP
	[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" || true
	wait || true
	rm -rf "$work"
}

# run_guest TIMEOUT PROGRAM...: run it to its end, passing on what the guest
# writes to the pipes out and err in $work.
run_guest() {
	local timeout=$1 status=0 readers guest
	shift
	mkfifo "$work/out" "$work/err" "$work/console"
	cat "$work/out" &
	pids=($!)
	cat "$work/err" >&2 &
	pids+=($!)
	cat "$work/console" >"$work/console.log" &
	pids+=($!)
	readers=("${pids[@]}")
	setpriv --pdeathsig TERM timeout -k 10 "$timeout" "$@" </dev/null &
	guest=$!
	pids+=("$guest")
	wait "$guest" || status=$?
	# One that was killed early has not opened all of its pipes, and who
	# reads them waits for that.
	: <>"$work/out" <>"$work/err" <>"$work/console"
	wait "${readers[@]}" || true
	pids=()
	tr -d '\r' <"$work/console.log" | cat "$work/log" - |
		awk '!seen[$0]++' >"$work/all"
	if [ "$status" -eq 124 ]; then
		say "time is up: the command had not ended after $timeout s;" \
			"the kernel's last words:"
		tail -n 40 "$work/all" | sed 's/^/  | /' >&2
		failed "time is up after $timeout s"
		exit "$STATUS_TIMEOUT"
	fi
	[ "$status" -eq 0 ] || say "${1##*/} ended with status $status"
}

# build_programs: the user's side, into build/.
build_programs() {
	[ -e "$top/Makefile" ] || {
		say "no Makefile yet: no programs built"
		return 0
	}
	mkdir -p "$top/build"
	flock "$top/build/.programs.lock" make -s -j"$(nproc)" -C "$top" programs >&2 ||
		die "make failed"
}

# build_modules RELEASE KDIR [MAKE-ARGUMENT...]: the modules for one kernel,
# into build/RELEASE, through links to the sources so that kernels never
# share an object. KMAKE holds further arguments (W=1 C=2).
build_modules() {
	local release=$1 kdir=$2 out=$top/build/$1 part
	local -a arguments parts=()
	shift 2
	compgen -G "$top/kmod/*.c" >/dev/null || {
		say "no sources in kmod yet: no module built"
		return 0
	}
	read -ra arguments <<<"${KMAKE-}"
	# The archive ships no vmlinux to take type information from.
	arguments+=("$@" CONFIG_DEBUG_INFO_BTF_MODULES=)
	mkdir -p "$out"
	exec 8>"$out.lock"
	flock 8
	for part in Kbuild kmod uapi selftests/kmod; do
		[ ! -e "$top/$part" ] || parts+=("$part")
	done
	while IFS= read -r -d '' part; do
		[ ! "$top/$part" -ef "$out/$part" ] || continue
		[[ $part != */* ]] || mkdir -p "$out/${part%/*}"
		ln -sfn "$top/$part" "$out/$part"
	done < <(cd "$top" && find "${parts[@]}" -type f \
		\( -name '*.[chS]' -o -name Kbuild -o -name Makefile \) \
		! -name '*.mod.c' -print0)
	find "$out" -xtype l -delete
	make -s -j"$(nproc)" -C "$kdir" M="$out" "${arguments[@]}" modules >&2 ||
		die "building the module for $release failed"
	if [ -e "$out/selftests/kmod/Kbuild" ]; then
		# Kbuild does not look whether the versions of these are others.
		[ ! "$out/Module.symvers" -nt \
			"$out/selftests/kmod/Module.symvers" ] ||
			rm -f "$out/selftests/kmod/Module.symvers"
		make -s -j"$(nproc)" -C "$kdir" M="$out/selftests/kmod" \
			KBUILD_EXTRA_SYMBOLS="$out/Module.symvers" \
			"${arguments[@]}" modules >&2 ||
			die "building the test modules for $release failed"
	fi
	exec 8>&-
}

# copy_libraries ROOT PROGRAM...: what these programs link with.
copy_libraries() {
	local root=$1 file
	shift
	{ ldd "$@" 2>&1 || true; } | awk '
		$2 == "=>" && $3 ~ /^\// { print $3 }
		$1 ~ /^\/.*ld-linux/ { print $1 }' | sort -u |
		while IFS= read -r file; do
			copy_program "$root" "$file"
		done
}

# copy_program ROOT FILE...: each to the path that it has here, with links in
# its directory's name resolved.
copy_program() {
	local root=$1 file
	shift
	for file; do
		file=$(cd "${file%/*}" && pwd -P)/${file##*/}
		[ -e "$root$file" ] || cp -L --parents "$file" "$root"
	done
}

pack() { (cd "$1" && find . -print0 | cpio -0 -o -H newc -R 0:0 --quiet); }

# forget PATTERN: drop from the cache what matches and is a day old. Younger
# ones may be in use by another checkout.
forget() {
	find "$cache" -maxdepth 1 -name "$1" -mmin +1440 -exec rm -rf {} +
}

# base_archive: make the part of the root file system that seldom changes,
# once, and print its path.
base_archive() {
	local command file key root applet
	local -a files=() missing=()
	for command in "${guest_commands[@]}" busybox; do
		file=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin type -P "$command") ||
			missing+=("$command")
		files+=("$file")
	done
	[ ${#missing[@]} -eq 0 ] ||
		die "not on this machine: ${missing[*]} (run scripts/deps vm)"
	key=$({
		cat "${BASH_SOURCE[0]}"
		stat -Lc '%n %s %Y' "${files[@]}" /lib/x86_64-linux-gnu/libc.so.6
	} | sha256sum | cut -c1-16)
	if [ -e "$cache/root-$key.cpio" ]; then
		echo "$cache/root-$key.cpio"
		return
	fi
	root=$work/base
	mkdir -p "$root"/{proc,sys,dev,etc,root,tmp,run,var,mnt,share,paxos} \
		"$root"/usr/{bin,sbin,lib,lib64}
	for file in bin sbin lib lib64; do
		ln -s "usr/$file" "$root/$file"
	done
	ln -s ../run "$root/var/run"
	ln -s ../tmp "$root/var/tmp"
	printf '%s\n' 'root:x:0:0::/root:/bin/bash' \
		'nobody:x:65534:65534::/:/bin/false' >"$root/etc/passwd"
	printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
	printf '%s\n' '127.0.0.1 localhost' '::1 localhost' >"$root/etc/hosts"
	ln -s /proc/self/mounts "$root/etc/mtab"
	cp /etc/mke2fs.conf "$root/etc/"
	# For programs that draw on a terminal.
	cp --parents /lib/terminfo/v/vt100 "$root"

	copy_program "$root" "${files[@]}"
	copy_libraries "$root" "${files[@]}"
	# pthread_cancel() loads this one by name.
	file=$(ldconfig -p | awk '/libgcc_s.so.1 .*x86-64/ { print $NF; exit }')
	[ -z "$file" ] || copy_program "$root" "$file"
	[ ! -d /usr/lib/locale/C.utf8 ] ||
		cp -r --parents /usr/lib/locale/C.utf8 "$root"
	for command in modprobe insmod rmmod lsmod modinfo depmod; do
		ln -s ../bin/kmod "$root/usr/sbin/$command"
	done
	ln -s mke2fs "$root/usr/sbin/mkfs.ext4"
	ln -s gawk "$root/usr/bin/awk"
	busybox --list | while IFS= read -r applet; do
		for file in "$root"/usr/{bin,sbin}/"$applet"; do
			[ ! -e "$file" ] || continue 2
		done
		ln -s busybox "$root/usr/bin/$applet"
	done
	mkdir -p "$cache"
	pack "$root" >"$work/base.cpio"
	forget root-\*.cpio
	mv "$work/base.cpio" "$cache/root-$key.cpio"
	echo "$cache/root-$key.cpio"
}

# kernel_modules FROM RELEASE MODULE...: those that are not built into the
# kernel and what they need, once; print the directory that holds them. FROM
# has lib/modules/RELEASE under it.
kernel_modules() {
	local from=$1 release=$2 module path key to
	shift 2
	key=$({
		echo "$@"
		cat "${BASH_SOURCE[0]}" "$from/lib/modules/$release/modules.order"
	} | sha256sum | cut -c1-16)
	to=$cache/modules-$release-$key
	if [ -e "$to" ]; then
		echo "$to"
		return
	fi
	local new=$work/modules
	mkdir -p "$new/kernel" "$cache"
	cp "$from/lib/modules/$release"/modules.{builtin*,order} "$new/"
	[ -e "$from/lib/modules/$release/modules.dep" ] ||
		depmod -b "$from" "$release"
	for module; do
		modprobe -d "$from" -S "$release" --show-depends "$module" ||
			say "the kernel $release has no module $module"
	done | awk '$1 == "insmod" { print $2 }' | sort -u |
		while IFS= read -r path; do
			case $path in
			*.xz) xz -dc "$path" >"$new/kernel/$(basename "$path" .xz)" ;;
			*) cp "$path" "$new/kernel/" ;;
			esac
		done
	forget modules-"$release"-\*
	mv -T "$new" "$to" || [ -e "$to" ]
	echo "$to"
}

# project_archive RELEASE MODULES VARIABLES COMMAND...: write the part of the
# root file system that changes with every run. VARIABLES is shell text for
# guest-init.
project_archive() {
	local release=$1 modules=$2 variables=$3 stage=$work/stage file
	local -a programs
	shift 3
	mkdir -p "$stage/paxos" "$stage/etc" "$stage/usr/lib/modules"
	install -m 755 "$top/scripts/guest-init" "$stage/init"
	{
		echo "$variables"
		printf 'set --'
		printf ' %q' "$@"
		echo
	} >"$stage/etc/guest"

	(cd "$top" && for file in scripts selftests uapi build; do
		[ ! -e "$file" ] || find "$file" \
			-path 'build/[0-9]*' -prune -o \
			-regex "build/\($host_only\)" -prune -o \
			\( -type f -o -type l \) ! -name '*.[oad]' ! -name '*.lock' \
			! -name '*.cmd' -print0
	done | cpio -0 -pdm --quiet "$stage/paxos")
	mapfile -d '' programs < <(find "$stage" -type f -perm /111 -print0)
	[ ${#programs[@]} -eq 0 ] || copy_libraries "$stage" "${programs[@]}"

	cp -r "$modules" "$stage/usr/lib/modules/$release"
	if [ -d "$top/build/$release" ]; then
		mkdir "$stage/usr/lib/modules/$release/extra"
		flock "$top/build/$release.lock" \
			find "$top/build/$release" -name '*.ko' \
			-exec cp -t "$stage/usr/lib/modules/$release/extra" {} +
	fi
	depmod -b "$stage/usr" "$release"
	pack "$stage" >"$work/project.cpio"
}

# complaints LOG...: what the kernel should not have said.
complaints() {
	grep -ahE -e '(^|[^a-z])(WARNING|BUG): |kernel BUG at|Oops|KASAN:|UBSAN:' \
		-e 'Kernel panic|general protection fault|Call Trace:' \
		-e 'blocked for more than|soft lockup|hard LOCKUP' \
		-e 'refcount_t: |INFO: possible |possible (circular|recursive)' \
		-e 'INFO: (suspicious|trying|inconsistent|lockdep)|ODEBUG: ' \
		-e 'unregister_netdevice: waiting|leaked reference' \
		-e 'rcu.*(detected (expedited )?stalls|self-detected stall)' \
		-e 'scheduling while atomic|sleeping function called' \
		-e '(list_add|list_del) corruption|unreferenced object' \
		-e 'suspected memory leaks|page allocation failure' \
		-e 'Objects remaining in|held lock freed|bad unlock balance' "$@"
}

# verdict: the status to end with, and what to say about it. What the kernel
# complains about outweighs what COMMAND returned.
verdict() {
	local status log=$work/all found line
	status=$(cat "$work/status")
	found=$(complaints -n "$log" | head -n 20 || true)
	if [ -n "$found" ]; then
		line=${found%%:*}
		say "the kernel complained; its log from there:"
		sed -n "$((line > 5 ? line - 5 : 1)),$((line + 150))p" "$log" |
			sed 's/^/  | /' >&2
		say "the lines at fault (the command returned ${status:-nothing}):"
		echo "  ! ${found//$'\n'/$'\n'  ! }" >&2
		found=${found%%$'\n'*}
		failed "the kernel complained: ${found#*:}"
		return "$STATUS_LOG"
	fi
	if [ -z "$status" ]; then
		say "the guest ended before the command did; its kernel's log:"
		tail -n 60 "$log" | sed 's/^/  | /' >&2
		failed "the guest ended before the command: $(tail -n 1 "$log")"
		return "$STATUS_DIED"
	fi
	return "$status"
}
