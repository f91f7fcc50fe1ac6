import { cryptoContract } from '@peerplane/core/testing'
import { webCrypto } from '@peerplane/runtime'

cryptoContract('WebCrypto in the browser', webCrypto)
