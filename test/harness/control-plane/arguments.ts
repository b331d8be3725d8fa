import { join } from 'node:path'

/** Where one control plane lives. */
export interface Layout {
  folder: string
  ports: { etcd: number; etcdPeer: number; apiServer: number; controllerManager: number }
}

/** Command lines of the programs. Nothing listens on anything but 127.0.0.1. */
export function programArguments({ folder, ports }: Layout) {
  const file = (name: string) => join(folder, name)
  const etcdUrl = `http://127.0.0.1:${ports.etcd}`
  const peerUrl = `http://127.0.0.1:${ports.etcdPeer}`
  const controllerManager = file('controller-manager.kubeconfig')
  return {
    etcd: [
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      '--log-level=warn',
      // The data does not outlive the test run: durability would only cost time.
      '--unsafe-no-fsync',
      '--quota-backend-bytes=8589934592',
    ],
    'kube-apiserver': [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${ports.apiServer}`,
      '--endpoint-reconciler-type=none',
      `--cert-dir=${file('apiserver')}`,
      `--tls-cert-file=${file('server.crt')}`,
      `--tls-private-key-file=${file('server.key')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=RBAC',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${file('service-accounts.pub')}`,
      `--service-account-signing-key-file=${file('service-accounts.key')}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--allow-privileged=true',
    ],
    'kube-controller-manager': [
      `--kubeconfig=${controllerManager}`,
      `--authentication-kubeconfig=${controllerManager}`,
      `--authorization-kubeconfig=${controllerManager}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${ports.controllerManager}`,
      `--cert-dir=${file('controller-manager')}`,
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      `--service-account-private-key-file=${file('service-accounts.key')}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--cluster-signing-cert-file=${file('ca.crt')}`,
      `--cluster-signing-key-file=${file('ca.key')}`,
      '--kube-api-qps=300',
      '--kube-api-burst=600',
      `--flex-volume-plugin-dir=${file('volume-plugins')}`,
    ],
  }
}
