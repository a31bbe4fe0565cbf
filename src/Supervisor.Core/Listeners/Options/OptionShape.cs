namespace Supervisor.Core.Listeners.Options;

/// <summary>The C type behind a socket option.</summary>
public enum OptionShape
{
    /// <summary>An int that is 0 or 1.</summary>
    Flag,

    /// <summary>An int.</summary>
    Number,

    /// <summary>A NUL-terminated name.</summary>
    Name,

    /// <summary>struct linger.</summary>
    Linger,

    /// <summary>Any bytes, written as "0x" and hexadecimal digits.</summary>
    Bytes,
}
