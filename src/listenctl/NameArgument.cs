using System.CommandLine;

namespace Supervisor.Listenctl;

/// <summary>A service's or listener's name. The parser would take an option that the verb does not have for one.</summary>
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
                result.AddError($"there is no option \"{text}\"");
            }
        });
    }
}
