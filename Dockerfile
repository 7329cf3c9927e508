# syntax=docker/dockerfile:1
FROM oven/bun:1.4.5-debian AS build
WORKDIR /build
COPY package.json bun.lock bunfig.toml tsconfig.json ./
RUN bun install --frozen-lockfile --production
COPY src src
RUN bun run build

# The whole of the final image: the executable, the C library it is linked with, and a folder for data.
COPY <<'SCRIPT' /build/rootfs.sh
set -eu
executable=$1
root=$2
mkdir -p "$root/data" "$root/tmp" "$root/etc"
chmod 1777 "$root/tmp"
cp "$executable" "$root/exoix"
for library in $(ldd "$executable" | grep -oE '/[^ ]+'); do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
echo 'exoix:x:65532:65532::/data:/exoix' > "$root/etc/passwd"
echo 'exoix:x:65532:' > "$root/etc/group"
chown -R 65532:65532 "$root/data"
SCRIPT
RUN sh /build/rootfs.sh dist/exoix /rootfs

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
WORKDIR /data
VOLUME /data
ENV DATABASE_PATH=/data/exoix.db LOG_FORMAT=json
EXPOSE 4001
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["/exoix", "health"]
ENTRYPOINT ["/exoix"]
