/** One signature by name of what is special about it, as hexadecimal digits. */
export interface EdgeCase {
  readonly message: string
  readonly key: string
  readonly signature: string
}

/*
 * Edge cases of Ed25519 about which implementations differ. Source: Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020), the
 * vectors 0 to 9 of ed25519-speccheck.
 */

/** Signatures that the protocol accepts. */
export const acceptedSignatures: { readonly [name: string]: EdgeCase } = {
  mixedOrder: {
    message: '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79',
    key: 'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d',
    signature:
      '9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009',
  },
}

/** Signatures that the protocol refuses, although some implementations accept them. */
export const refusedSignatures: { readonly [name: string]: EdgeCase } = {
  keyAndCommitmentOfSmallOrder: {
    message: '8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6',
    key: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    signature:
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a0000000000000000000000000000000000000000000000000000000000000000',
  },
  keyOfSmallOrder: {
    message: '9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79',
    key: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    signature:
      'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04',
  },
  commitmentOfSmallOrder: {
    message: 'aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab',
    key: 'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43',
    signature:
      'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e',
  },
  onlyWithCofactor: {
    message: 'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
    key: 'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d',
    signature:
      '160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed5125ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09',
  },
  onlyWithCofactorReducedLate: {
    message: 'e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c',
    key: 'cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d',
    signature:
      '21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405',
  },
  scalarAboveOrder: {
    message: '85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40',
    key: '442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623',
    signature:
      'e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514',
  },
  scalarFarAboveOrder: {
    message: '85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40',
    key: '442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623',
    signature:
      '8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa19427e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22',
  },
  commitmentNotCanonical: {
    message: 'fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a',
    key: 'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43',
    signature:
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607',
  },
  commitmentNotCanonicalHashedAsZero: {
    message: '84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1',
    key: 'f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43',
    signature:
      'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09',
  },
  // Signatures that fulfil the equation without the cofactor, one for each encoding of a point of small order.
  keyAtYZero: {
    message: '5f04709d79435e0378f687b1d4b3acca1b91a51c0cfcfe83fa90142018a2b3a5',
    key: '0000000000000000000000000000000000000000000000000000000000000000',
    signature:
      'bf378f3c4413170de1feb3041cfa21ca6f4ebc2424e9e75b396177de5a7a75a0fe581963c330da3667d8c8fa3f022b3aa2849d2012bdc6964ae2eac9985ac10d',
  },
  keyAtYZeroWithSign: {
    message: 'be194ac2a702baa518b309a670afb11f4514e463812a2e921fcc73e8a2455d3e',
    key: '0000000000000000000000000000000000000000000000000000000000000080',
    signature:
      '6740fab925a98ccd1eb0b548fc3ba71571c7251db9ab31f3f7843253ad3bee615bd45839f63cfd2aee9a41412401ccfe330d8a034c054b00e647eeab4022670c',
  },
  keyAtYOne: {
    message: 'cca70d39a9e5a909e275906f0ce15065b6def7280bbf0bb02c75b5e03c439513',
    key: '0100000000000000000000000000000000000000000000000000000000000000',
    signature:
      '5b644fe586a9dfbe147a8e24637d9e2eb22bcaea04ba304975197cd141d7558ed91ea5da821b633a0aef056b1da6bc2eefbab3e1593f7c07528d3f5879d01e01',
  },
  keyAtYOneWithSign: {
    message: '5b27fb0bdba6dd15d6d82c6dc25b7ebd0310dc69edcba9147baa7dbeb795449e',
    key: '0100000000000000000000000000000000000000000000000000000000000080',
    signature:
      '685216dc8bcf5d1dab36e89b6a016b13439b1fc6dcbb8825febcf22d72172f7ee609656dc5b46e9c043dd18acd503f017052100181623eae0d0d3d7500f1680f',
  },
  keyAtYMinusOne: {
    message: '5c62b76d8c6ccf365a6b921c91320743a8f2e8a4eafe9db00b20b77537f9e6df',
    key: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    signature:
      '07cd6619b40ce99e3f1f1d99b565cbbd77096ce78611da86252abdd8760be5ff3bb1a85425c70557a07312b62125c4e43ce702542f8746ce724fd09cc1e8b40a',
  },
  keyAtYMinusOneWithSign: {
    message: 'b265a09f94732ff29d8eac71169d3d8ca704aae6afd06d5725046dd901b312fd',
    key: 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    signature:
      'ad6f0ddd2c201aab3de8265c1597bf9a046644a323b9b6938eeca56ad66e571be1cd2e02eeb3b35206c25a28fda93fe3c56f89f82efa2c9e65cfc43f9cf11c08',
  },
  keyAtYFirst: {
    message: '325de125d822d4beb167664273be0aa9bca60d93a45312d6e6c21da4c142ffd4',
    key: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    signature:
      '70c9c455f5d5e6bad7ddf89a393313a1cb2368cb0b9d1e881d120dbe4e521a9b460c3e7b36e7d033f165cbd88daa13c6ff725e0054c900dedbe1c16e16b8f800',
  },
  keyAtYFirstWithSign: {
    message: '963c24db1c58b2071d95c4b64dff300dc7c86dfbe09c4ce9368d84e276933c42',
    key: '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    signature:
      'a93de9aca8b4edd474e92e8f38f702cea1f948d86805eafbe0b338f096f0270c589b029df8c2946be1dd4ca9cb77e0ad16bf531fbddecab3a3a0024ef8ce7704',
  },
  keyAtYSecond: {
    message: 'd30150bf5d5cf295a3ad55ac2640e55ae35f1c18aa53eb2ac30d2be95f4d47b9',
    key: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    signature:
      '53e5e3211c85288504760586a001a8347922d76dc1b019d345a6d086283af93ac0990a1a47920385f740c324b815adfa0e109835163167b5c4a499a3a608280e',
  },
  keyAtYSecondWithSign: {
    message: '98254a0b11d08433148d9c8666f17c0a23806996ff64a4b5f732bd9e8c9a698f',
    key: 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
    signature:
      'fdfb3b745551e24b3d4818ff5ff308b2c2bad6a3923b417fb47838c1ae0ae4f6ed5f5152eb4c5e647cd63f91744df66e9e5c6165f34224196fd821ebd808a60a',
  },
  keyAtYZeroNotCanonical: {
    message: '735ad2c5addd34821a5dbca5b769f33f4fc0112c4f67a6000df853ca91cebccf',
    key: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    signature:
      '28cad14439c7d66c43d122871c7eba5c1980ff9b39d1754113d54d214bc84832329d805495115b2df4f8cc4096636f79ff40fb7644ed8e48c9211acbc842690e',
  },
  keyAtYZeroNotCanonicalWithSign: {
    message: '11a8f54d49f6cbe2436aacc45521781ead51e2e2d906d84e1a40f1e01b19586e',
    key: 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    signature:
      '2d6f1344bde7532d2393d013b2d57bc20290bb450195fff9b9fc8fced9e51c91905ae985b448b9972799cb20cc419f70afb3ead519f93807018de31f7761580c',
  },
  keyAtYOneNotCanonical: {
    message: '45bfaa60bb06e00d3a54d71d2d37a19663ec1cef55ae755b52ab95e83fac05c8',
    key: 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    signature:
      'caff609c8998781f049042d7101687da064d314d6da5a36507b665805cb7152a4ceda720ae11365281a30a958b20a6651299b57cd8cfea0e78517f96981a2a0a',
  },
  keyAtYOneNotCanonicalWithSign: {
    message: '3b54f220742bdaf83271bcc4a118c108c613854b9a4c76debe420470f1b617af',
    key: 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
    signature:
      '2bc861b15ae7e1715effcbd63b07b296cad2d5e906119417580c149f858d32de085e3183a55111a9dbcdd7f81548dd85e64123b2e6708233bc0cf4b406dd5a01',
  },
}
