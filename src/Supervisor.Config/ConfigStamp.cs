namespace Supervisor.Config;

/// <summary>
/// Tells whether the bytes of all configuration files together are the same as before. It is no protection against a forger: only
/// trusted users can write the files.
/// </summary>
/// <param name="Hash">Their checksum, in hexadecimal.</param>
/// <param name="Length">Their length in bytes.</param>
public readonly record struct ConfigStamp(string Hash, long Length);
