"""Faults of a machine on demand: a library that stands before the C library and refuses calls, for subprocesses.

Set ``LD_PRELOAD`` to what `shim` gives, ``SHIM_PATH`` to a part of the paths that are meant (all, where it is empty),
and an errno for each call that fails: ``SHIM_OPEN``, ``SHIM_READ``, ``SHIM_WRITE``, ``SHIM_CHMOD``, ``SHIM_FSYNC``,
``SHIM_FLOCK``, ``SHIM_RENAME``, ``SHIM_OPENDIR``. ``SHIM_AFTER`` lets as many of these calls pass before, and
``SHIM_TIMES`` is how many fail then (all, where it is not set), in each process.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

SOURCE = r"""
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int passed, failed;

static int refused(const char *name, const char *path) {
    const char *error = getenv(name), *part = getenv("SHIM_PATH"), *after = getenv("SHIM_AFTER");
    const char *times = getenv("SHIM_TIMES");
    if (!error || !path || (part && *part && !strstr(path, part))) return 0;
    if (after && passed++ < atoi(after)) return 0;
    if (times && failed++ >= atoi(times)) return 0;
    errno = atoi(error);
    return 1;
}

static int refused_at(const char *name, int file) {
    char link[64], path[4096];
    if (!getenv(name)) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return refused(name, path);
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))
#define MODE mode_t mode = 0; \
    if (flags & O_CREAT) { va_list rest; va_start(rest, flags); mode = va_arg(rest, int); va_end(rest); }
#define OPEN(name) int name(const char *path, int flags, ...) { MODE \
    return refused("SHIM_OPEN", path) ? -1 : REAL(int, name, const char *, int, ...)(path, flags, mode); }
#define OPENAT(name) int name(int at, const char *path, int flags, ...) { MODE \
    return refused("SHIM_OPEN", path) ? -1 : REAL(int, name, int, const char *, int, ...)(at, path, flags, mode); }
#define MOVE(name, buffer) ssize_t name(int file, buffer data, size_t n) { \
    return refused_at(KEY, file) ? -1 : REAL(ssize_t, name, int, buffer, size_t)(file, data, n); }
#define MOVEAT(name, buffer) ssize_t name(int file, buffer data, size_t n, off_t at) { \
    return refused_at(KEY, file) ? -1 : REAL(ssize_t, name, int, buffer, size_t, off_t)(file, data, n, at); }
OPEN(open) OPEN(open64) OPENAT(openat) OPENAT(openat64)
#define KEY "SHIM_WRITE"
MOVE(write, const void *) MOVEAT(pwrite, const void *) MOVEAT(pwrite64, const void *)
#undef KEY
#define KEY "SHIM_READ"
MOVE(read, void *) MOVEAT(pread, void *) MOVEAT(pread64, void *)
DIR *opendir(const char *path) {
    return refused("SHIM_OPENDIR", path) ? NULL : REAL(DIR *, opendir, const char *)(path); }
int chmod(const char *path, mode_t mode) {
    return refused("SHIM_CHMOD", path) ? -1 : REAL(int, chmod, const char *, mode_t)(path, mode); }
int fchmod(int file, mode_t mode) {
    return refused_at("SHIM_CHMOD", file) ? -1 : REAL(int, fchmod, int, mode_t)(file, mode); }
int fchmodat(int at, const char *path, mode_t mode, int flags) {
    if (refused("SHIM_CHMOD", path)) return -1;
    return REAL(int, fchmodat, int, const char *, mode_t, int)(at, path, mode, flags); }
int fsync(int file) { return refused_at("SHIM_FSYNC", file) ? -1 : REAL(int, fsync, int)(file); }
int flock(int file, int what) { return refused_at("SHIM_FLOCK", file) ? -1 : REAL(int, flock, int, int)(file, what); }
int rename(const char *from, const char *to) {
    return refused("SHIM_RENAME", to) ? -1 : REAL(int, rename, const char *, const char *)(from, to); }
"""


def shim(tmp_path: Path) -> Path:
    """Compile the library; the test is skipped where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (cc, gcc) is there to make faults of a machine")
    source, library = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text(SOURCE, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library
