# syntax=docker/dockerfile:1
ARG NODE_IMAGE=node:24-trixie-slim

# helm and kustomize as their makers release them; a download with another checksum fails the build.
FROM scratch AS downloads-amd64
ADD --checksum=sha256:e9b88b4ee95b18c706839c28d3a0220e5bc470e9cd9262410c90793c45ff8b7c \
  https://get.helm.sh/helm-v4.2.3-linux-amd64.tar.gz /helm.tar.gz
ADD --checksum=sha256:029a7f0f4e1932c52a0476cf02a0fd855c0bb85694b82c338fc648dcb53a819d \
  https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/kustomize_v5.8.1_linux_amd64.tar.gz /kustomize.tar.gz

FROM scratch AS downloads-arm64
ADD --checksum=sha256:21abd9354d39b2cd79a8d76be6912cd137a983cbf997193503fb8a6a6e2f2785 \
  https://get.helm.sh/helm-v4.2.3-linux-arm64.tar.gz /helm.tar.gz
ADD --checksum=sha256:0953ea3e476f66d6ddfcd911d750f5167b9365aa9491b2326398e289fef2c142 \
  https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2Fv5.8.1/kustomize_v5.8.1_linux_arm64.tar.gz /kustomize.tar.gz

FROM downloads-${TARGETARCH} AS downloads

FROM ${NODE_IMAGE} AS tools
COPY --from=downloads /helm.tar.gz /kustomize.tar.gz /tmp/
RUN mkdir /tools \
  && tar --extract --gzip --file /tmp/helm.tar.gz --directory /tools --strip-components 1 --wildcards '*/helm' \
  && tar --extract --gzip --file /tmp/kustomize.tar.gz --directory /tools kustomize \
  && chmod 0755 /tools/helm /tools/kustomize \
  && /tools/helm version --short && /tools/kustomize version

FROM ${NODE_IMAGE} AS build
WORKDIR /offshoot
COPY package.json package-lock.json .npmrc ./
# No scripts: the one that is allowed brings a Node, and the image has one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src/ src/
RUN npm run build
RUN npm prune --omit=dev --ignore-scripts --no-audit --no-fund
COPY LICENSE README.md ./
COPY config/ config/
COPY charts/ charts/
RUN rm -rf src tsconfig.json tsconfig.build.json package-lock.json .npmrc

FROM ${NODE_IMAGE}
LABEL org.opencontainers.image.title="Offshoot" \
  org.opencontainers.image.description="Review environments on Kubernetes" \
  org.opencontainers.image.licenses="Apache-2.0"
# git and ssh fetch repositories; tini reaps what they leave behind. npm and its kin have no work here.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install --yes --no-install-recommends ca-certificates git openssh-client tini \
  && rm -rf /var/lib/apt/lists/* /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx \
    /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
COPY --from=tools /tools/ /usr/local/bin/
COPY --from=build /offshoot/ /opt/offshoot/
ENV NODE_ENV=production \
  HOME=/tmp
# The image's own user "node": ssh refuses to run as a user without a name.
USER 1000:1000
WORKDIR /tmp
EXPOSE 8080 9090
ENTRYPOINT ["tini", "--", "node", "/opt/offshoot/dist/cli/main.js"]
CMD ["--help"]
