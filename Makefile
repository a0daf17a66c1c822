# A thin front of meson, for those who type make. Nothing here knows how to compile; meson.build does.
#
#   make             build build/pageyard from what is installed
#   make demo        install what is missing (Debian), build, verify and replay recordings of a kernel, simulate the incidents
#   make check       install what is missing, then all tests in all builds: plain, sanitizers, clang, gcc -Werror
#   make check-long  also the suite `long`, and the unit tests under valgrind
#   make bench       the benchmarks
#   make coverage    the lines of engine/ that the tests reach
#   make install     meson install (DESTDIR and PREFIX are heeded)

MESON = meson
TEST = $(MESON) test --print-errorlogs --no-suite long
PREFIX = /usr/local
RECORDS = tests/data/boot-idle-d0 tests/data/storm-d1

all: build/build.ninja
	ninja -C build

# Meson notices by itself when meson.build changes; these rules only make a build folder that is not there.
build/build.ninja:
	$(MESON) setup build --prefix=$(PREFIX)
build-asan/build.ninja:
	CC=gcc $(MESON) setup build-asan -Db_sanitize=address,undefined -Dtests=enabled
build-tsan/build.ninja:
	CC=gcc $(MESON) setup build-tsan -Db_sanitize=thread -Dtests=enabled
build-gcc/build.ninja:
	CC=gcc $(MESON) setup build-gcc -Dwerror=true -Dtests=enabled
build-clang/build.ninja:
	CC=clang $(MESON) setup build-clang -Dwerror=true -Dtests=enabled
build-O0/build.ninja:
	CC=gcc $(MESON) setup build-O0 -Doptimization=0 -Dtests=enabled
build-coverage/build.ninja:
	CC=gcc $(MESON) setup build-coverage -Db_coverage=true -Dtests=enabled

install-deps:
	@scripts/install-deps.sh build

install-check-deps:
	@scripts/install-deps.sh build check

# The recursive calls keep the order: a build folder is set up when its packages are there.
demo: install-deps
	@$(MAKE) --no-print-directory all
	build/pageyard verify $(RECORDS)
	build/pageyard replay $(lastword $(RECORDS))
	build/pageyard run --brief vm-storm vm-atomic reclaim-storm readahead-storm oom-reach
	build/pageyard run --brief atomic-failures --duration 1min --set workload.huge.start=359.9s
	build/pageyard run --brief vm-numa local-reclaim-1 logger-skew
	build/pageyard run --brief hahn-1 --set machine.base=hahn-2x8

check: install-check-deps
	@$(MAKE) --no-print-directory --keep-going check-plain check-asan check-tsan check-clang check-gcc check-O0

check-plain: build/build.ninja
	@$(MESON) configure build -Dtests=enabled # it may have been made where cmocka was missing
	ninja -C build
	$(TEST) -C build
check-asan: build-asan/build.ninja
	ninja -C build-asan
	$(TEST) -C build-asan
check-tsan: build-tsan/build.ninja
	ninja -C build-tsan
	$(TEST) -C build-tsan --suite threads
check-clang: build-clang/build.ninja
	ninja -C build-clang
	$(TEST) -C build-clang
check-gcc: build-gcc/build.ninja
	ninja -C build-gcc
	$(TEST) -C build-gcc --suite freestanding

# Results must not depend on what the compiler makes of the source.
check-O0: build-O0/build.ninja
	ninja -C build-O0 pageyard
	$(TEST) -C build-O0 --no-rebuild run_determinism

check-long: check
	$(MESON) test -C build --print-errorlogs --suite long
	$(MESON) test -C build --print-errorlogs --setup valgrind --suite unit

bench: all
	build/pageyard bench

coverage:
	@scripts/install-deps.sh build check coverage
	@$(MAKE) --no-print-directory build-coverage/build.ninja
	ninja -C build-coverage
	$(TEST) -C build-coverage
	gcovr --root . --filter engine/ --object-directory build-coverage --print-summary \
		--html-details build-coverage/coverage.html

# A build folder that is there already has the prefix that it was made with, unless one is given.
install: all
ifeq ($(origin PREFIX),command line)
	$(MESON) configure build --prefix=$(PREFIX)
endif
	$(MESON) install -C build

clean:
	rm -rf build build-asan build-tsan build-gcc build-clang build-O0 build-coverage

.PHONY: all install-deps install-check-deps demo check check-plain check-asan check-tsan check-clang check-gcc \
	check-O0 check-long bench coverage install clean
