using System.CommandLine;

namespace Supervisor.Listenctl.Verbs;

/// <summary>
/// The name of a service or a listener. Without the validator the parser would accept an unknown option as a name, and an unset variable
/// of a script as an empty one.
/// </summary>
internal sealed class NameArgument : Argument<string?>
{
    public NameArgument(string name, string description, bool isOptional = false)
        : base(name)
    {
        Description = description;
        Arity = isOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne;
        Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: ['-', ..] text }, ..])
            {
                result.AddError($"unknown option \"{text}\"");
            }
            else if (result.Tokens is [{ Value: "" }, ..])
            {
                result.AddError($"{name} is empty: write a name, as \"listenctl status\" shows it");
            }
        });
    }
}
