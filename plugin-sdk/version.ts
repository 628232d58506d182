/** Version of the SDK that this site speaks; the `sdk` range of a plugin's manifest must include it. */
export const sdkVersion = '0.1.0'
