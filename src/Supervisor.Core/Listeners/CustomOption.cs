namespace Supervisor.Core.Listeners;

/// <summary>One element of <c>options</c>: a socket option by level and name or number, set in its phase.</summary>
/// <param name="Level">The level's number in the Linux ABI.</param>
/// <param name="Name">The kernel's name of the option, or its number in decimal digits.</param>
/// <param name="Number">The value, if it is an int.</param>
/// <param name="Text">The value, if it is a string, or bytes: <see cref="BytesPrefix"/> and two hexadecimal digits for each.</param>
/// <param name="Phase">Before bind(), before listen() or after listen().</param>
public sealed record CustomOption(int Level, string Name, long? Number, string? Text, HandlePhase Phase)
{
    /// <summary>What a value of bytes begins with.</summary>
    public const string BytesPrefix = "0x";

    /// <summary>The longest value in bytes.</summary>
    public const int MostBytes = 1024;
}
