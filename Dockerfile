# syntax=docker/dockerfile:1
# Where the C library of the image's processor is taken from. Nothing runs here.
FROM debian:13-slim AS debian

# Only this stage runs anything, and on the building machine's own processor: Bun compiles for the others.
FROM --platform=$BUILDPLATFORM oven/bun:1.4.5-debian AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml tsconfig.json ./
RUN bun install --frozen-lockfile --production
COPY src src
ARG TARGETARCH
RUN bun run build --target="bun-linux-$(echo "$TARGETARCH" | sed s/amd64/x64/)"

# The whole of the final image: the executable, the C library it is linked with, and a folder for data.
COPY <<'SCRIPT' /build/rootfs.sh
set -eu
executable=$1
debian=$2
root=$3
mkdir -p "$root/data" "$root/tmp" "$root/etc"
chmod 1777 "$root/tmp"
cp "$executable" "$root/exoix"
for library in "$debian"/usr/lib/*-linux-gnu/ld-linux-*.so.*; do
  # Each processor's executables look for their loader in one place.
  case $library in *x86-64*) loaders=lib64 ;; *) loaders=lib ;; esac
  mkdir -p "$root/$loaders"
  cp -L "$library" "$root/$loaders"
  folder=$(dirname "$library")
  libraries="$root/lib/$(basename "$folder")"
  mkdir -p "$libraries"
  for name in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0; do cp -L "$folder/$name" "$libraries"; done
done
echo 'exoix:x:65532:65532::/data:/exoix' > "$root/etc/passwd"
echo 'exoix:x:65532:' > "$root/etc/group"
chown -R 65532:65532 "$root/data"
SCRIPT
RUN --mount=from=debian,target=/debian sh /build/rootfs.sh dist/exoix /debian /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV DATABASE_PATH=/data/exoix.db LOG_FORMAT=json
EXPOSE 4001
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/exoix", "health"]
ENTRYPOINT ["/exoix"]
